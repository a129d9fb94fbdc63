import type { Call } from '../postgres/statement.js';

const APPEND_TIMELINE = {
  name: 'idempotency-note',
  text: `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail) VALUES ($1, $2, clock_timestamp(), $3, $4)`,
};

const APPEND_ALL = {
  name: 'idempotency-note-all',
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
  event: TimelineEvent,
  detail: string,
): Call {
  return { ...APPEND_TIMELINE, values: [accountId, operationId, event, detail.slice(0, LONGEST_DETAIL)] };
}

/** The same for several lines of one account, in one statement. */
export function appendLines(accountId: string, lines: NewLine[]): Call {
  const details = lines.map(({ detail }) => detail.slice(0, LONGEST_DETAIL));
  return { ...APPEND_ALL, values: [accountId, lines.map((line) => line.operationId), lines.map((line) => line.event), details] };
}
