import type { DataSource } from 'typeorm';
import type { CompleteOptions } from '../options.js';
import { newOperationId } from '../operation-id.js';
import { FIND, FIND_ARCHIVED, type ArchiveRow, type RecordRow } from '../records/record.store.js';
import { appendTimeline } from '../records/timeline.store.js';
import { LOCK } from './claim-check.js';
import { lockNumber } from './key.js';
import { lateRequestsOf, mayBeForgotten } from './late-requests.js';

/** What a key is after somebody asked to seal it. Operation ids are uuids. */
export type Sealing =
  /** No request with this key executes from now on, and none has. */
  | { state: 'sealed' }
  /** It was used, and that has its outcome: nothing was changed. */
  | { state: 'completed'; operationId: string }
  /** A request has it in hand, or its operation has no outcome yet: nothing was changed. */
  | { state: 'running'; operationId: string | undefined };

/** Method and route of a sealed key's story: no request of the application made it. */
const OPERATION = 'seal';

const SEAL = `
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, status, window_ms, created_at, expires_at)
  VALUES ($1, $2, $3, '${OPERATION}', 'sealed', $4, clock_timestamp(), clock_timestamp() + $4::bigint * interval '1 millisecond')`;

/**
 * Seals a key that was never used, under the lock that claims take: whoever claims it later finds the sealed record. The
 * statements stand apart, and in this order, for the same reason as those of a claim. `by`: on whose request, for the story.
 * @throws the database's error; what was asked for may then have been done, and asking again tells
 */
export async function sealKey(
  dataSource: DataSource,
  options: CompleteOptions,
  { accountId, key, by }: { accountId: string; key: string; by: string },
): Promise<Sealing> {
  return dataSource.transaction(async (manager): Promise<Sealing> => {
    const [lock] = await manager.query<{ locked: boolean; now: Date }[]>(LOCK.text, [lockNumber(accountId, key), accountId]);
    if (!lock) throw new Error('the lock statement has one row');
    const [record] = await manager.query<RecordRow[]>(FIND.text, [accountId, key]);
    if (record) return meaningOf(record);
    if (!lock.locked) return { state: 'running', operationId: undefined };
    const [archived] = await manager.query<ArchiveRow[]>(FIND_ARCHIVED.text, [accountId, key]);
    if (archived) return { state: 'completed', operationId: archived.operation_id };
    // It is refused by its own time for ever.
    if (mayBeForgotten(key, lock.now, lateRequestsOf(options))) return { state: 'sealed' };
    const operationId = newOperationId();
    await manager.query(SEAL, [accountId, key, operationId, options.archiveMs]);
    const line = appendTimeline({ accountId, operationId }, 'sealed', `by request of ${by}`);
    await manager.query(line.text, line.values as unknown[]);
    return { state: 'sealed' };
  });
}

function meaningOf({ status, operation_id: operationId }: RecordRow): Sealing {
  if (status === 'sealed') return { state: 'sealed' };
  return status === 'completed' ? { state: 'completed', operationId } : { state: 'running', operationId };
}
