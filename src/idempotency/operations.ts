import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Statement } from './postgres/statement.js';
import { OutsideSettlements, type TakenOperation, type Word } from './steps/outside-settlement.js';
import { StepRunner } from './steps/step-runner.js';
import type { StepEnd } from './step.js';
import type { Transaction } from './transaction.js';

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
         CASE WHEN status = 'completed' THEN 'completed'
              WHEN lease_until IS NULL OR lease_until <= clock_timestamp() THEN 'interrupted'
              ELSE 'running' END AS status,
         CASE WHEN status = 'completed' THEN response_status END AS response_status,
         (SELECT coalesce(sum(count), 0) FROM idempotency_replays p WHERE p.account_id = r.account_id AND p.operation_id = r.operation_id)::int AS replays
    FROM idempotency_records r WHERE account_id = $1
  UNION ALL
  SELECT operation_id, key, operation, NULL, NULL::uuid, NULL, attempts, resource, created_at, completed_at, expires_at, 'completed', response_status, replays
    FROM idempotency_archive WHERE account_id = $1`;

const FIND: Statement = { name: 'idempotency-story', text: `SELECT * FROM (${STORIES}) s WHERE operation_id = $2` };

const LIST = `
  SELECT * FROM (${STORIES}) s
   WHERE ($2::text IS NULL OR key = $2) AND ($3::uuid IS NULL OR operation_id < $3)
   ORDER BY operation_id DESC LIMIT $4`;

/** The latest hundred lines of each; that is all of them, but for those that earlier versions wrote. */
const TIMELINE: Statement = {
  name: 'idempotency-timelines',
  text: `
  SELECT operation_id, at, event, detail
    FROM unnest($2::uuid[]) AS o (operation_id),
         LATERAL (SELECT at, event, detail FROM idempotency_timeline t
                   WHERE t.account_id = $1 AND t.operation_id = o.operation_id ORDER BY id DESC LIMIT 100) latest
  UNION ALL
  SELECT operation_id, last_at, 'replayed', CASE count WHEN 1 THEN 'once' ELSE count || ' times' END || CASE WHEN reason = '' THEN '' ELSE ': ' || reason END
    FROM idempotency_replays WHERE account_id = $1 AND operation_id = ANY ($2::uuid[])
   ORDER BY at`,
};

const WAKE = `
  UPDATE idempotency_records SET next_run_at = clock_timestamp(), resumable_at = clock_timestamp()
   WHERE account_id = $1 AND operation_id = $2 AND status = 'running' AND lease_until IS NULL`;

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

/** Looks operations up and gets interrupted ones going. */
@Injectable()
export class Operations {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(StepRunner) private readonly steps: StepRunner,
    private readonly outside: OutsideSettlements,
  ) {}

  /** The story of an operation; `tx`: as that transaction has it. */
  async find(accountId: string, uuid: string, tx?: Transaction): Promise<OperationStory | null> {
    const run = runnerOf(tx ?? this.dataSource);
    const rows = await run<StoryRow>(FIND, [accountId, uuid]);
    const [story] = await withTimelines(run, accountId, rows);
    return story ?? null;
  }

  /** Newest first; `key`: of this idempotency key alone; `before`: older than the operation with this uuid. */
  async list(
    accountId: string,
    { key, before, limit }: { key: string | null; before: string | null; limit: number },
  ): Promise<OperationStory[]> {
    const rows = await this.dataSource.query<StoryRow[]>(LIST, [accountId, key, before, limit]);
    return withTimelines(runnerOf(this.dataSource), accountId, rows);
  }

  /**
   * Takes an interrupted operation over and drives it, without redoing finished steps. False when it is not to be had: it runs, or
   * was parked less than a recovery interval ago. `by`: on whose request, for its timeline.
   */
  async resume(accountId: string, uuid: string, by: string): Promise<boolean> {
    const held = await this.steps.takeOver(this.dataSource, accountId, uuid, `by request of ${by}`);
    if (!held) return false;
    await this.steps.drive(this.dataSource, held);
    return true;
  }

  /** Lets the recoverer take a parked operation at its next look, and a retry at once, because there is news of it. */
  async wake(accountId: string, uuid: string): Promise<void> {
    await this.dataSource.query(WAKE, [accountId, uuid]);
  }

  /**
   * Takes an unfinished operation over for somebody who settles it in the place of its step, at once and not driven any
   * further: nobody else takes it while the lease lasts. Null while it is in other hands, or completed. `by`: for the timeline.
   */
  take(accountId: string, uuid: string, by: string): Promise<TakenOperation | null> {
    return this.outside.take(accountId, uuid, by);
  }

  /**
   * Settles an operation that was taken, together with what else the transaction does. `work` says what it comes to, as a
   * step's `settle` does; its transaction is the same one, in the operation's name. False: somebody else has it by now, or
   * it is completed, and `work` was not run.
   */
  settleTaken(tx: Transaction, taken: TakenOperation, told: Word, work: (own: Transaction) => Promise<StepEnd>): Promise<boolean> {
    return this.outside.settle(tx, taken, told, work);
  }
}

type Run = <R extends Record<string, unknown>>(statement: Statement, values: unknown[]) => Promise<R[]>;

function runnerOf(on: Transaction | DataSource): Run {
  return on instanceof DataSource ? ({ text }, values) => on.query(text, values) : (statement, values) => on.run(statement, values);
}

async function withTimelines(run: Run, accountId: string, rows: StoryRow[]): Promise<OperationStory[]> {
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

/** Local work writes no timeline: its two ends are in the record. */
function withEnds(row: StoryRow, lines: TimelineLine[]): TimelineLine[] {
  const told = (event: string): boolean => lines.some((line) => line.event === event);
  const ends: TimelineLine[] = [];
  if (!told('claimed')) ends.push({ at: row.created_at, event: 'claimed', detail: row.operation });
  if (!told('settled') && row.completed_at) ends.push({ at: row.completed_at, event: 'settled', detail: String(row.response_status) });
  return [...ends, ...lines].sort((a, b) => a.at.getTime() - b.at.getTime());
}
