import type { Call } from '../postgres/statement.js';

const APPEND_TIMELINE = {
  name: 'idempotency-note',
  text: `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail) VALUES ($1, $2, clock_timestamp(), $3, $4)`,
};

/** What can happen to an operation with steps, and to a key that is sealed. */
export type TimelineEvent = 'claimed' | 'step-started' | 'provider-answered' | 'decided' | 'parked' | 'settled' | 'sealed';

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
