import { enterBy } from '../postgres/account-scope.js';
import type { OpeningCheck } from '../postgres/opening-check.js';
import type { Call, Result } from '../postgres/statement.js';
import {
  COMPLETED,
  completedOf,
  completedValues,
  findArchived,
  findRecord,
  findSeveral,
  type ArchiveRow,
  type Completed,
  type Intent,
  type RecordRow,
} from '../records/record.store.js';
import type { StoredResponse } from '../reply.js';
import { lockNumber } from './key.js';
import { mayBeForgotten, timeOfKey, type LateRequests } from './late-requests.js';
import { lockKey, lockKeys, type Taken } from './locks.js';

/** What a key stands for. */
export type ClaimResult =
  /** It is free, and this transaction has it. `replaces`: the operation whose expired record has to make room. */
  | { kind: 'won'; replaces: string | null }
  | { kind: 'completed'; record: Completed }
  /** `interrupted`: nobody holds it, so it may be taken over. Without an operation id nothing of it is committed yet. */
  | { kind: 'running'; operationId: string | null; interrupted: boolean }
  /** Its outcome is unknown, and it was called so recently that nobody may call it again before `resumableInMs`. */
  | { kind: 'parked'; operationId: string; response: StoredResponse; traceparent: string | null; resumableInMs: number }
  | { kind: 'reused'; operationId: string }
  /** Somebody asked that no request with this key ever executes. */
  | { kind: 'sealed'; operationId: string }
  | { kind: 'expired'; operationId: string | undefined; resource: string | undefined };

/**
 * The completed record before the work, in a transaction that leaves in one packet: without the lock it fails before it would
 * wait for the winner's record.
 */
const CLAIM_COMPLETED = {
  name: 'idempotency-claim-completed',
  text: `${COMPLETED} WHERE CASE WHEN ${enterBy('$1::uuid::text')} <> '' AND pg_try_advisory_xact_lock($14::bigint) THEN true ELSE speculation_failed() END RETURNING expires_at`,
};

/**
 * The rest of that claim. A statement of its own behind the INSERT, because it needs a later snapshot: where a purge has
 * made room for the INSERT, the archive has the key by now.
 */
const CLAIM_UNKNOWN = {
  name: 'idempotency-claim-unknown',
  text: `SELECT WHERE CASE WHEN EXISTS (SELECT FROM idempotency_records WHERE account_id = $1 AND key = $2 AND operation_id <> $3)
                             OR $4::bigint > 0
                                AND (EXISTS (SELECT FROM idempotency_archive WHERE account_id = $1 AND key = $2)
                                     OR to_timestamp($5::float8 / 1000) < clock_timestamp() - $4::bigint * interval '1 millisecond')
                           THEN speculation_failed() END`,
};

/**
 * Takes the key's lock, and looks at its record and at what the archive has of it. Three separate statements in this order, because each
 * takes its own snapshot: folded into one, or with the archive first, a winner or a purge that commits in between is missed and the work
 * runs twice.
 */
export function claimCalls(named: Pick<Intent, 'accountId' | 'key'>): Call[] {
  const { accountId, key } = named;
  return [lockKey(accountId, key), findRecord(named), findArchived(named)];
}

/** The check that a claim begins with. */
export function claimCheck(intent: Intent, late: LateRequests): OpeningCheck<ClaimResult> {
  return {
    calls: () => claimCalls(intent),
    evaluate: ([lock, record, archived]) => {
      const [taken] = (lock?.rows ?? []) as unknown as Taken[];
      if (!taken) throw new Error('the lock statement has one row');
      const found = evaluateClaim(intent, late, taken, rowOf(record) as RecordRow | undefined, rowOf(archived) as ArchiveRow | undefined);
      return { won: found.kind === 'won', now: taken.now, found };
    },
  };
}

/** The same check for several keys of one account, each of them once; `evaluate` says what a key is to a request for it. */
export function claimSeveral(
  accountId: string,
  keys: string[],
  late: LateRequests,
): { calls: Call[]; evaluate: (results: Result[]) => (intent: Intent) => ClaimResult } {
  return {
    calls: [lockKeys(accountId, keys), ...findSeveral(accountId, keys)],
    evaluate: ([locked, records, archived]) => {
      const takenOf = new Map(keys.map((key, at) => [key, locked?.rows[at] as unknown as Taken | undefined]));
      const [recordOf, archivedOf] = [byKey<RecordRow>(records), byKey<ArchiveRow>(archived)];
      return (intent) => {
        const taken = takenOf.get(intent.key);
        if (!taken) throw new Error('the lock statement has one row for each key');
        return evaluateClaim(intent, late, taken, recordOf.get(intent.key), archivedOf.get(intent.key));
      };
    },
  };
}

/**
 * A claim without a look: writes the completed record, and fails where the key isn't free for this request. The first
 * result's only row says when the record expires.
 */
export function claimAtOnce(intent: Intent, response: StoredResponse, resource: string | undefined, late: LateRequests): Call[] {
  const { accountId, key, operationId } = intent;
  return [
    { ...CLAIM_COMPLETED, values: [...completedValues(intent, response, resource), lockNumber(accountId, key)] },
    { ...CLAIM_UNKNOWN, values: [accountId, key, operationId, late.policy === 'refuse' ? late.horizonMs : 0, timeOfKey(key)] },
  ];
}

/**
 * What a record that was read without a claim means; undefined when only a claim can tell: there is none, or it has expired
 * and may be executed again.
 */
export function meaningOfRecord(intent: Intent, late: LateRequests, result: Result): ClaimResult | undefined {
  const record = rowOf(result) as RecordRow | undefined;
  if (!record || (late.policy === 'execute' && hasExpired(record))) return undefined;
  return meaningOf(record, intent);
}

function evaluateClaim(
  intent: Intent,
  late: LateRequests,
  { locked, now }: Taken,
  record: RecordRow | undefined,
  archived: ArchiveRow | undefined,
): ClaimResult {
  // Somebody holds the lock and has committed nothing: whose request it is can't be known from here.
  const free = (replaces: string | null): ClaimResult =>
    locked ? { kind: 'won', replaces } : { kind: 'running', operationId: null, interrupted: false };
  if (record && hasExpired(record) && late.policy === 'execute') return free(record.operation_id);
  if (record) return meaningOf(record, intent);
  if (archived && late.policy === 'refuse') {
    return { kind: 'expired', operationId: archived.operation_id, resource: archived.resource ?? undefined };
  }
  return mayBeForgotten(intent.key, now, late) ? { kind: 'expired', operationId: undefined, resource: undefined } : free(null);
}

/** What a record means to a request, where an expired one isn't executed again. */
function meaningOf(record: RecordRow, { fingerprint }: Intent): ClaimResult {
  const { operation_id: operationId } = record;
  if (record.status === 'sealed') return { kind: 'sealed', operationId };
  if (hasExpired(record)) return { kind: 'expired', operationId, resource: record.resource ?? undefined };
  if (record.request_hash !== fingerprint) return { kind: 'reused', operationId };
  const completed = completedOf(record);
  if (record.status === 'completed') return { kind: 'completed', record: completed };
  const { interrupted, traceparent, parked_ms: resumableInMs } = record;
  return resumableInMs
    ? { kind: 'parked', operationId, response: completed.response, traceparent, resumableInMs }
    : { kind: 'running', operationId, interrupted };
}

function hasExpired({ status, remaining_ms: remaining }: RecordRow): boolean {
  return status === 'completed' && remaining <= 0;
}

/** The only row of a result, if it has one. */
export function rowOf(result: Result | undefined): unknown {
  return result?.rows[0];
}

function byKey<Row>(result: Result | undefined): Map<string, Row> {
  return new Map((result?.rows ?? []).map((row) => [row['key'] as string, row as Row]));
}
