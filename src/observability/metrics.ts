/** What a metric's values are; its name ends in a base unit, where they have one. */
type Unit =
  | 'seconds'
  | 'bytes'
  | 'requests'
  | 'attempts'
  | 'records'
  | 'operations'
  | 'payments'
  | 'calls'
  | 'deliveries'
  | 'endpoints'
  | 'accounts'
  | 'connections'
  | 'differences'
  | 'flag';

/** The values of each label, or what they are where they are not listed here. Every list is bounded. */
type Labels = Record<string, readonly string[] | string>;

/** How a metric is declared. */
export interface Declaration {
  type: 'counter' | 'gauge' | 'histogram';
  unit: Unit;
  /** `process`: of this process, so replicas are added up. `database`: of the tables, so every replica shows the same. */
  of: 'process' | 'database';
  /** What Prometheus shows with it. */
  help: string;
  labels: Labels;
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

const counter = <const L extends Labels>(unit: Unit, help: string, labels: L) =>
  ({ type: 'counter', of: 'process', unit, help, labels }) as const;
const gauge = <const L extends Labels>(unit: Unit, help: string, labels: L) =>
  ({ type: 'gauge', of: 'process', unit, help, labels }) as const;
/** A gauge that is read from the tables at each scrape. */
const figure = <const L extends Labels>(unit: Unit, help: string, labels: L) =>
  ({ type: 'gauge', of: 'database', unit, help, labels }) as const;
const histogram = <const L extends Labels>(unit: Unit, help: string, labels: L, buckets: readonly number[]) =>
  ({ type: 'histogram', of: 'process', unit, help, labels, buckets }) as const;

const OPERATION = 'method and route';
const STEP = 'name of a step';
const REASON = 'what `Retry-Reason` says, where it is one of the known reasons';
const ENDPOINT = ['working', 'failing'] as const;
const POOL = ['requests', 'background', 'recovery', 'authentication'] as const;
const CALL = ['charge', 'refund', 'find-charge', 'find-refund', 'standing'] as const;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From a replay out of memory to the longest wait that `Prefer` may ask for, and the steps behind it. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60];
/** Nobody waits longer than two seconds for a connection. */
const WAITS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/**
 * Every metric of the service, beside those of Node itself (`process_…`, `nodejs_…`). The one list of them: what counts or reads is
 * handed these names, and `docs/metrics.md` is checked against it by a test.
 */
export const METRICS = {
  idempotency_requests_total: counter(
    'requests',
    'Requests to operations that take an idempotency key, and items of batches, by what became of them and why the client said it retries',
    {
      operation: OPERATION,
      outcome: [
        'executed',
        'replayed',
        'waited',
        'pending',
        'in-progress',
        'mismatch',
        'expired',
        'sealed',
        'missing',
        'invalid',
        'possible-duplicate',
        'rolled-back',
        'rate-limited',
        'rejected',
        'unavailable',
        'failed',
      ],
      retry_reason: REASON,
    },
  ),
  idempotency_request_duration_seconds: histogram(
    'seconds',
    'Time from a request that was let in to its answer: the first one of its key, a replay, or one that waited for another request',
    { operation: OPERATION, answer: ['first', 'replay', 'waited'] },
    DURATIONS,
  ),
  idempotency_replay_age_seconds: histogram(
    'seconds',
    'Age of the key, since its first request, when its stored answer is replayed',
    { operation: OPERATION },
    [1, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY],
  ),
  idempotency_retries_total: counter('requests', 'Requests that say they are retries, by Retry-Attempt or Retry-Reason', {
    operation: OPERATION,
    reason: REASON,
  }),
  idempotency_retries_succeeded_total: counter('requests', 'Those of them that got the final answer of their operation, whatever it says', {
    operation: OPERATION,
    reason: REASON,
  }),
  idempotency_retry_attempts: histogram(
    'attempts',
    'Retry-Attempt of requests that say it',
    { operation: OPERATION },
    [1, 2, 3, 4, 5, 7, 10, 20, 50],
  ),
  idempotency_turn_wait_seconds: histogram(
    'seconds',
    'Time that a request waited for the turn of its account before it executed; only of those that had to wait',
    {},
    WAITS,
  ),
  idempotency_queued_requests: gauge('requests', 'Requests that wait for the turn of their account', {}),
  idempotency_queued_accounts: gauge('accounts', 'Accounts with requests that wait for their turn', {}),
  idempotency_longest_account_queue: gauge('requests', 'Requests of the account that has the most waiting', {}),
  idempotency_records: figure(
    'records',
    'Records by state: running, parked with an unknown outcome, interrupted (in nobody’s hands), completed, sealed; the last two are estimates where the table is large',
    { state: ['running', 'parked', 'interrupted', 'completed', 'sealed'] },
  ),
  idempotency_oldest_unfinished_seconds: figure('seconds', 'Age of the oldest operation without an outcome; 0 without any', {}),
  idempotency_oldest_parked_seconds: figure('seconds', 'Age of the oldest operation whose outcome outside is unknown; 0 without any', {}),
  idempotency_unknown_step_operations: figure(
    'operations',
    'Operations without an outcome that wait for a step which this process does not know, and another version may',
    {},
  ),
  idempotency_archive_records: figure('records', 'Records in the archive; an estimate where it is large', {}),
  idempotency_archive_bytes: figure('bytes', 'Size of the archive on disk, with its indexes', {}),
  idempotency_archived_total: counter('records', 'Expired records that this process has moved into the archive', {}),
  idempotency_forgotten_total: counter('records', 'Archived and sealed keys that this process has deleted after their time', {}),
  idempotency_takeovers_total: counter(
    'operations',
    'Operations taken over, by who did, the step, and how it was found: with a lease that has run out, or parked before',
    { by: ['retry', 'request', 'recoverer', 'decision'], step: STEP, found: ['lease', 'parked'] },
  ),
  idempotency_recoveries_total: counter('operations', 'What driving them came to, by the step they were taken over at', {
    step: STEP,
    result: ['completed', 'pending', 'undone', 'lost'],
  }),
  idempotency_fenced_writes_total: counter(
    'operations',
    'Settlements that were refused because somebody else had the operation by then, by step',
    { step: STEP },
  ),
  payments_for_review: figure('payments', 'Payments whose outcome the provider cannot tell; a person must look', {}),
  idempotency_commits_unconfirmed: gauge('flag', '1 while no synchronous standby confirms commits and nothing is written, 0 otherwise', {}),
  payments_gate_closed: figure('flag', '1 while payments wait until a restored database is compared with the provider, 0 otherwise', {}),
  payments_provider_calls_total: counter(
    'calls',
    'Calls of the payment provider, quick retries included, by what it answered; failed: it could not be asked',
    { call: CALL, outcome: ['succeeded', 'declined', 'pending', 'unknown', 'not-reached', 'nothing', 'failed'] },
  ),
  payments_provider_held_back_total: counter(
    'calls',
    'Charges and refunds that were not sent to the provider, because of a pause after much silence or of too many calls at once',
    {},
  ),
  payments_provider_call_duration_seconds: histogram(
    'seconds',
    'Time that a call of the payment provider took',
    { call: CALL },
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
  ),
  webhooks_delivery_attempts_total: counter('attempts', 'Attempts to deliver an event, by what the receiver made of it', {
    outcome: ['delivered', 'refused', 'gone', 'timeout', 'address-refused', 'name-unknown', 'connection-refused', 'tls', 'connection'],
  }),
  webhooks_deliveries_total: counter('deliveries', 'Deliveries that have ended: delivered, or dead because they were given up', {
    outcome: ['delivered', 'dead'],
  }),
  webhooks_delivery_lag_seconds: histogram('seconds', 'Time from an event to its delivery', {}, [
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    6 * HOUR,
    DAY,
    4 * DAY,
  ]),
  webhooks_pending_deliveries: figure(
    'deliveries',
    'Deliveries that are not over, of enabled endpoints; at most 200 of one, the events behind them wait',
    { endpoint: ENDPOINT },
  ),
  webhooks_oldest_pending_seconds: figure('seconds', 'Age of the oldest event that an enabled endpoint has still to get; 0 without any', {
    endpoint: ENDPOINT,
  }),
  webhooks_endpoints: figure('endpoints', 'Webhook endpoints by state; failing: enabled, and its last attempt failed', {
    state: ['working', 'failing', 'disabled'],
  }),
  webhooks_endpoints_disabled_total: counter(
    'endpoints',
    'Webhook endpoints that this process has disabled: after three days of failures, or because the receiver answered 410',
    { reason: ['failing', 'gone'] },
  ),
  database_pool_connections: gauge('connections', 'Open connections of each pool', { pool: POOL, state: ['used', 'idle'] }),
  database_pool_waiting: gauge('requests', 'Those who wait for a connection of each pool', { pool: POOL }),
  database_pool_wait_seconds: histogram(
    'seconds',
    'Time until a connection was had, or given up; only of those who found none idle',
    { pool: POOL },
    WAITS,
  ),
  holdfast_audit_differences: gauge(
    'differences',
    'Differences between records, business rows and the provider, by kind; absent where the last audit could not be made here',
    { kind: 'kind of difference, as `npm run audit` names it' },
  ),
  holdfast_audit_timestamp_seconds: gauge('seconds', 'When the last audit of this process ended, since 1970; 0 where it has made none', {}),
} satisfies Record<string, Declaration>;
