import type { Call, Statement } from '../postgres/statement.js';

/** One thing that happened to an operation. */
export interface TimelineLine {
  at: Date;
  event: string;
  detail: string;
}

/** The story of one request with a key, also after its record was purged. */
export interface OperationStory {
  /** uuid */
  id: string;
  operation: string;
  /** `interrupted`: unfinished, and in nobody's hands at this moment. */
  status: 'running' | 'interrupted' | 'completed';
  /** The step that the operation goes on with, or ended in. */
  recoveryPoint: string | null;
  /** uuid of what that step is about; null where there is none, or the record was purged. */
  subjectId: string | null;
  parkedReason: string | null;
  attempts: number;
  resource: string | null;
  responseStatus: number | null;
  replays: number;
  createdAt: Date;
  completedAt: Date | null;
  expiresAt: Date | null;
  timeline: TimelineLine[];
}

/** Records and archive together: what was purged is still a story. */
const STORIES = `
  SELECT operation_id, key, operation, recovery_point, subject_id, parked_reason, attempt AS attempts, resource, created_at, completed_at, expires_at,
         CASE WHEN status <> 'running' THEN 'completed'
              WHEN lease_until IS NULL OR lease_until <= clock_timestamp() THEN 'interrupted'
              ELSE 'running' END AS status,
         CASE status WHEN 'completed' THEN response_status WHEN 'sealed' THEN 409 END AS response_status,
         (SELECT coalesce(sum(count), 0) FROM idempotency_replays p WHERE p.account_id = r.account_id AND p.operation_id = r.operation_id)::int AS replays
    FROM idempotency_records r WHERE account_id = $1
  UNION ALL
  SELECT operation_id, key, operation, NULL, NULL::uuid, NULL, attempts, resource, created_at, completed_at, expires_at, 'completed', response_status, replays
    FROM idempotency_archive WHERE account_id = $1`;

const FIND: Statement = { name: 'idempotency-story', text: `SELECT * FROM (${STORIES}) s WHERE operation_id = $2` };

const LIST: Statement = {
  name: 'idempotency-stories',
  text: `
  SELECT * FROM (${STORIES}) s
   WHERE ($2::text IS NULL OR key = $2) AND ($3::uuid IS NULL OR operation_id < $3)
   ORDER BY operation_id DESC LIMIT $4`,
};

/** `replayed`: got the stored answer; `retried`: said to be retries, and came before there was one; at the time of the last. The latest hundred lines of each; that is all of them, but for those that earlier versions wrote. */
const TIMELINE: Statement = {
  name: 'idempotency-timelines',
  text: `
  SELECT operation_id, at, event, detail, id
    FROM unnest($2::uuid[]) AS o (operation_id),
         LATERAL (SELECT at, event, detail, id FROM idempotency_timeline t
                   WHERE t.account_id = $1 AND t.operation_id = o.operation_id ORDER BY id DESC LIMIT 100) latest
  UNION ALL
  SELECT operation_id, told.at, event,
         CASE times WHEN 1 THEN 'once' ELSE times || ' times' END || CASE WHEN reason = '' THEN '' ELSE ': ' || reason END
           || coalesce(', up to attempt ' || highest_attempt, ''), NULL
    FROM idempotency_replays, LATERAL (VALUES ('replayed', count, last_at), ('retried', tries, coalesce(last_try_at, last_at))) AS told (event, times, at)
   WHERE account_id = $1 AND operation_id = ANY ($2::uuid[]) AND times > 0
   ORDER BY at, id`,
};

interface StoryRow extends Record<string, unknown> {
  operation_id: string;
  operation: string;
  status: OperationStory['status'];
  recovery_point: string | null;
  subject_id: string | null;
  parked_reason: string | null;
  attempts: number;
  resource: string | null;
  response_status: number | null;
  replays: number;
  created_at: Date;
  completed_at: Date | null;
  expires_at: Date | null;
}

/** Runs a statement for one account, and gives its rows. */
export type RunFor = <R extends Record<string, unknown>>(statement: Statement, values: unknown[]) => Promise<R[]>;

/** The story of one operation, or null. */
export async function findStory(run: RunFor, accountId: string, uuid: string): Promise<OperationStory | null> {
  const [story] = await withTimelines(run, accountId, await run<StoryRow>(FIND, [accountId, uuid]));
  return story ?? null;
}

/** Which stories, newest first; `key`: of this idempotency key alone; `before`: older than the operation with this uuid. */
export interface StoryPage {
  key: string | null;
  before: string | null;
  limit: number;
}

export async function listStories(run: RunFor, accountId: string, { key, before, limit }: StoryPage): Promise<OperationStory[]> {
  return withTimelines(run, accountId, await run<StoryRow>(LIST, [accountId, key, before, limit]));
}

async function withTimelines(run: RunFor, accountId: string, rows: StoryRow[]): Promise<OperationStory[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.operation_id);
  const lines = await run<{ operation_id: string; at: Date; event: string; detail: string }>(TIMELINE, [accountId, ids]);
  return rows.map((row) =>
    storyOf(
      row,
      lines.filter((line) => line.operation_id === row.operation_id).map(({ at, event, detail }) => ({ at, event, detail })),
    ),
  );
}

function storyOf(row: StoryRow, lines: TimelineLine[]): OperationStory {
  return {
    id: row.operation_id,
    operation: row.operation,
    status: row.status,
    recoveryPoint: row.recovery_point,
    subjectId: row.subject_id,
    parkedReason: row.parked_reason,
    attempts: row.attempts,
    resource: row.resource,
    responseStatus: row.response_status,
    replays: row.replays,
    createdAt: row.created_at,
    completedAt: row.completed_at,
    expiresAt: row.expires_at,
    timeline: withEnds(row, lines),
  };
}

/** Local work writes no timeline: its two ends are in the record. It begins with the claim, also where that is a retry's own. */
function withEnds(row: StoryRow, lines: TimelineLine[]): TimelineLine[] {
  const told = (event: string): boolean => lines.some((line) => line.event === event);
  if (told('sealed')) return lines;
  const all = [{ at: row.created_at, event: 'claimed', detail: row.operation }, ...lines.filter(({ event }) => event !== 'claimed')];
  if (!told('settled') && row.completed_at) all.push({ at: row.completed_at, event: 'settled', detail: String(row.response_status) });
  return all.sort((a, b) => a.at.getTime() - b.at.getTime());
}

const APPEND = {
  name: 'idempotency-note',
  text: `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
         SELECT $1, l.operation_id, clock_timestamp(), l.event, l.detail
           FROM unnest($2::uuid[], $3::text[], $4::text[]) AS l (operation_id, event, detail)`,
};

/** What can happen to an operation with steps and to a key that is sealed; `batched`: it was an item of a batch; `item`: what one of its own items came to. */
export type TimelineEvent =
  'claimed' | 'batched' | 'item' | 'step-started' | 'provider-answered' | 'decided' | 'parked' | 'settled' | 'sealed';

/** A line to be written. */
export interface NewLine {
  /** uuid */
  operationId: string;
  event: TimelineEvent;
  detail: string;
}

/** The longest detail, in characters: some of them come from outside. */
const LONGEST_DETAIL = 500;

/** Appends to the operation's timeline, in the transaction of what it tells. */
export function appendTimeline(
  { accountId, operationId }: { accountId: string; operationId: string },
  ...lines: [event: TimelineEvent, detail: string][]
): Call {
  return appendLines(
    accountId,
    lines.map(([event, detail]) => ({ operationId, event, detail })),
  );
}

/** A function of the owner's, because whoever serves requests deletes no lines. */
const TRIM = { name: 'idempotency-trim-timeline', text: 'SELECT idempotency_trim_timeline($1, $2, $3)' };

/** As many attempts leave the beginning and the end of a timeline alone. */
export const UNTRIMMED_ATTEMPTS = 40;

/**
 * Drops the middle of a long timeline, because an operation that waits for its provider for months, or ends each process that takes it,
 * would have a line for each attempt. Nothing before more than UNTRIMMED_ATTEMPTS of them; `attempt`: the one that runs.
 */
export function trimTimeline({ accountId, operationId, attempt }: { accountId: string; operationId: string; attempt: number }): Call {
  return { ...TRIM, values: [accountId, operationId, attempt] };
}

/** The same for lines of several operations of one account. */
export function appendLines(accountId: string, lines: NewLine[]): Call {
  const details = lines.map(({ detail }) => detail.slice(0, LONGEST_DETAIL));
  return { ...APPEND, values: [accountId, lines.map((line) => line.operationId), lines.map((line) => line.event), details] };
}
