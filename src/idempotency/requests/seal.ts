import type { DataSource } from 'typeorm';
import type { CompleteOptions } from '../options.js';
import { renderer, type Render } from '../rendering.js';
import { newOperationId } from '../operation-id.js';
import { violates } from '../postgres/errors.js';
import type { OperationIdentity } from '../postgres/handler-transaction.js';
import type { OpeningCheck } from '../postgres/opening-check.js';
import { askAlone } from '../postgres/transaction-connection.js';
import type { Call } from '../postgres/statement.js';
import { commitDecision, type Party } from '../protocol/commit.js';
import { CommitUnconfirmed, type Confirmation } from '../protocol/confirm.js';
import { CLAIM_CONSTRAINT, type ArchiveRow, type RecordRow } from '../records/record.store.js';
import { appendTimeline } from '../records/story.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import { LOCKED } from './attempt.js';
import { claimCalls, rowOf } from './claim-check.js';
import { lateRequestsOf, mayBeForgotten } from './late-requests.js';
import type { Taken } from './locks.js';

/** What a key is after somebody asked to seal it. Operation ids are uuids. */
export type Sealing =
  /** No request with this key executes from now on, and none has. */
  | { state: 'sealed' }
  /** It was used, and that has its outcome: nothing was changed. */
  | { state: 'completed'; operationId: string }
  /** A request has it in hand, or its operation has no outcome yet: nothing was changed. */
  | { state: 'running'; operationId: string | undefined };

/** A key to be sealed. `by`: on whose request, for the story. */
export interface SealWanted {
  accountId: string;
  key: string;
  by: string;
}

/** The same before anything is written: `unused` is what can be sealed. */
type Found = Sealing | { state: 'unused' };

/** Method and route of a sealed key's story: no request of the application made it. */
const OPERATION = 'seal';

const SEAL = {
  name: 'idempotency-seal',
  text: `
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, status, window_ms, created_at, expires_at)
  VALUES ($1, $2, $3, '${OPERATION}', 'sealed', $4, clock_timestamp(), clock_timestamp() + $4::bigint * interval '1 millisecond')`,
};

/**
 * Seals a key that was never used, behind the look that claims take: whoever claims it later finds the sealed record.
 * @throws IdempotencyRefusal unavailable: it may have been done, and asking again tells; the database's error
 */
export async function sealKey(dataSource: DataSource, options: CompleteOptions, wanted: SealWanted): Promise<Sealing> {
  const end = await commitDecision(dataSource, new Seal(wanted, options), LOCKED);
  if (end.kind === 'committed') return { state: 'sealed' };
  if (end.kind === 'lost' && end.found.state !== 'unused') return end.found;
  if (end.kind !== 'abandoned') throw new Error('a seal is committed, or finds the key in use');
  throw end.error instanceof CommitUnconfirmed ? new IdempotencyRefusal('service-unavailable', { cause: end.error }) : end.error;
}

/** A seal as a party to the protocol: it commits under a key that nobody has used. */
class Seal implements Party<Found> {
  readonly identity: OperationIdentity;
  readonly check: OpeningCheck<Found>;
  readonly status = 200;
  readonly traceId = null;
  readonly remoteApply = false;
  readonly render: Render;

  constructor(
    private readonly wanted: SealWanted,
    private readonly options: CompleteOptions,
  ) {
    const nextProviderKey = (): never => {
      throw new Error('a seal has no steps');
    };
    this.identity = { operationId: newOperationId(), idempotencyKey: wanted.key, traceparent: null, owner: OPERATION, nextProviderKey };
    this.render = renderer(options.render);
    this.check = {
      calls: () => claimCalls(wanted),
      evaluate: ([lock, record, archived]) => {
        const taken = rowOf(lock) as Taken;
        const found = this.meaningOf(taken, rowOf(record) as RecordRow | undefined, rowOf(archived) as ArchiveRow | undefined);
        return { won: found.state === 'unused', now: taken.now, found };
      },
    };
  }

  /** Nothing but the record. */
  readonly work = (): Promise<void> => Promise.resolve();

  knowsStep(): boolean {
    return false;
  }

  callsFor(): Call[] {
    const { accountId, key, by } = this.wanted;
    const { operationId } = this.identity;
    return [
      { ...SEAL, values: [accountId, key, operationId, this.options.archiveMs] },
      appendTimeline({ accountId, operationId }, ['sealed', `by request of ${by}`]),
    ];
  }

  isLostRace(error: unknown): boolean {
    return violates(error, CLAIM_CONSTRAINT);
  }

  /** Whoever finds the key sealed need not know by whom. */
  async lookAfter(dataSource: DataSource): Promise<Confirmation<Found>> {
    const found = await askAlone(dataSource, this.check);
    if (found.state === 'unused') return { kind: 'rolled-back' };
    return found.state === 'running' && found.operationId === undefined ? { kind: 'unknown' } : { kind: 'lost', found };
  }

  private meaningOf({ locked, now }: Taken, record: RecordRow | undefined, archived: ArchiveRow | undefined): Found {
    if (record) {
      const { status, operation_id: operationId } = record;
      return status === 'sealed' ? { state: 'sealed' } : { state: status, operationId };
    }
    if (!locked) return { state: 'running', operationId: undefined };
    if (archived) return { state: 'completed', operationId: archived.operation_id };
    // It is refused by its own time for ever.
    return mayBeForgotten(this.wanted.key, now, lateRequestsOf(this.options)) ? { state: 'sealed' } : { state: 'unused' };
  }
}
