import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { publicOperationId } from './operation-id.js';
import { insertRunning, note, providerKeyOf, type HeldOperation } from './operation.store.js';
import { OPTIONS, type CompleteOptions } from './options.js';
import { databaseError, isConnectionLost, isRetryable } from './postgres-errors.js';
import { CLAIM_CONSTRAINT, claimGate, deleteExpired, insertCompleted, type Completed, type Intent, type Verdict } from './record.store.js';
import { IdempotencyRefusal } from './refusal.js';
import { toResponse, type StoredResponse } from './response.js';
import { isEnd, reply, stepName, type Next } from './step.js';
import { StepRunner, type Driven } from './step-runner.js';
import { GateLost, Transaction, type Call, type OperationIdentity } from './transaction.js';

/** A handler: one run of the work in the given transaction. */
export type Work = (tx: Transaction) => Promise<unknown>;

/** One request and how to run its work. */
export interface Attempt {
  intent: Intent;
  work: Work;
  /** Status of a plain value that the handler returns. */
  status: number;
  /** Of the monotonic clock: until then the request may wait for its steps. */
  deadline: number;
  /** Called as soon as the claim is won. */
  onWon(): void;
}

/** How an attempt ended. `in-progress`: somebody else is at it. `pending`: its steps have no outcome yet. Operation ids are uuids. */
export type AttemptEnd =
  | { kind: 'completed'; record: Completed; replayed: boolean }
  | { kind: 'pending'; operationId: string; response: StoredResponse }
  | { kind: 'in-progress'; operationId: string | undefined };

type Try = AttemptEnd | { kind: 'interrupted'; operationId: string };

/** What a transaction that passed the claim is to commit. */
interface Ending {
  last: Call;
  response: StoredResponse;
  /** The step that follows the commit; undefined when the response is the answer. */
  first: HeldOperation | undefined;
}

/** Runs of a handler for one request, when the database asks for another one. */
const MAX_RUNS = 5;
/** Looks at the database after a COMMIT without an answer, while it restarts or fails over. */
const UNKNOWN_LOOKS = 6;

/**
 * One attempt at a request, from the claim to the COMMIT: the key, the handler's work and the response are committed all
 * together or not at all; or it turns out that there is an answer already.
 */
@Injectable()
export class AttemptRunner {
  private readonly log = new Logger('Idempotency');

  constructor(
    private readonly dataSource: DataSource,
    private readonly steps: StepRunner,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /** Local work may run again when the database rolled it back for reasons that lie in other transactions. */
  async run(attempt: Attempt): Promise<AttemptEnd> {
    for (let run = 1; ; run += 1) {
      try {
        const end = await this.tryOnce(attempt);
        return end.kind === 'interrupted' ? await this.resume(end.operationId, attempt) : end;
      } catch (error) {
        if (!isRetryable(error) || run === MAX_RUNS) throw error;
        await sleep(Math.random() * 20 * run);
      }
    }
  }

  private async tryOnce(attempt: Attempt): Promise<Try> {
    const tx = this.claim(attempt);
    let ending: Ending;
    try {
      const returned = await tx.enter(() => attempt.work(tx));
      ending = isEnd('next', returned) ? this.goOn(tx, attempt, returned) : this.finish(attempt, returned);
    } catch (error) {
      try {
        return await this.refused(tx, attempt, error);
      } finally {
        await tx.release();
      }
    }
    return this.complete(tx, attempt, ending);
  }

  private claim(attempt: Attempt): Transaction<Verdict> {
    const { intent } = attempt;
    const gate = claimGate(intent, { policy: this.options.lateRequests, horizonMs: this.options.archiveMs });
    const judge: typeof gate.judge = (results) => {
      const found = gate.judge(results);
      if (found.won) attempt.onWon();
      return found;
    };
    return new Transaction(this.dataSource, { calls: gate.calls, judge }, identityOf(intent));
  }

  /** The handler returned an answer, as a reply or as a plain value. */
  private finish({ intent, status }: Attempt, returned: unknown): Ending {
    const answer = isEnd('reply', returned) ? returned : reply(status, returned);
    const response = toResponse(answer, intent.operationId);
    return { last: insertCompleted(intent, response, answer.resource), response, first: undefined };
  }

  /** The handler named a step: the record is committed as running, held by this process. */
  private goOn(tx: Transaction, { intent }: Attempt, { step, subjectId, pending }: Next): Ending {
    if (!pending) throw new Error('the first step needs a pending reply');
    const name = stepName(step);
    const response = toResponse(pending, intent.operationId);
    tx.write(...note(intent, 'claimed', intent.operation));
    tx.write(...note(intent, 'step-started', name));
    const last = insertRunning(intent, { step: name, subjectId, pending: response, resource: pending.resource }, this.options);
    const { accountId, key, operationId, operation, traceId, windowMs } = intent;
    const first = { accountId, key, operationId, operation, traceId, windowMs, step: name, stepNo: 1, subjectId, attempt: 1, ageMs: 0 };
    return { last, response, first: { ...first, pending: response } };
  }

  /**
   * The handler threw. A lost claim has its answer in the record, whatever the handler made of it. A final refusal is
   * stored in a transaction of its own, after everything that the handler wrote is undone. Anything else stores nothing.
   */
  private async refused(tx: Transaction<Verdict>, attempt: Attempt, thrown: unknown): Promise<Try> {
    if (tx.found && tx.found.kind !== 'first') return settled(tx.found);
    const { intent } = attempt;
    const error = tx.meaningOf(thrown);
    const rendered = this.options.render(error, { operationId: tx.operationId, traceId: intent.traceId });
    if (rendered === 'not-final') {
      if (isConnectionLost(error)) throw unavailableOr(error);
      // The validation rules may have changed since the key was used: a stored answer goes before a 400.
      const verdict = tx.found ?? (await this.lookOnly(attempt));
      if (verdict.kind !== 'first') return settled(verdict);
      throw error;
    }
    await tx.release();
    return this.complete(this.claim(attempt), attempt, {
      last: insertCompleted(intent, rendered, undefined),
      response: rendered,
      first: undefined,
    });
  }

  /** What the key stands for, for a request that won't be executed: nobody is told that the claim was won. */
  private async lookOnly(attempt: Attempt): Promise<Verdict> {
    const tx = this.claim({ ...attempt, onWon: () => undefined });
    try {
      return await this.look(tx);
    } finally {
      await tx.release();
    }
  }

  private async look(tx: Transaction<Verdict>): Promise<Verdict> {
    try {
      return (await tx.begin()).verdict;
    } catch (error) {
      if (error instanceof GateLost && tx.found) return tx.found;
      throw unavailableOr(error);
    }
  }

  /** Commits the work and its record, and releases the transaction. */
  private async complete(tx: Transaction<Verdict>, attempt: Attempt, ending: Ending): Promise<Try> {
    try {
      const verdict = await this.look(tx);
      if (verdict.kind !== 'first') return settled(verdict);
      if (verdict.replaces) tx.write(...deleteExpired(attempt.intent, verdict.replaces));
      const commit = await tx.commit(ending.last);
      await tx.release();
      if (commit.kind === 'committed') return await this.committed(attempt, ending, commit.result.rows[0]);
      // Another transaction inserted the key between our look and our INSERT; its record is the answer.
      const claimLost = databaseError(commit.error)?.constraint === CLAIM_CONSTRAINT;
      if (commit.kind === 'unknown' || claimLost) return await this.resolveUnknown(attempt, ending, commit.error);
      const meaning = tx.meaningOf(commit.error);
      if (meaning === commit.error) throw commit.error;
      return await this.refused(tx, attempt, meaning);
    } finally {
      await tx.release();
    }
  }

  private async committed(attempt: Attempt, { response, first }: Ending, row: unknown): Promise<Try> {
    const { operationId, windowMs } = attempt.intent;
    if (first) return this.driveOn(first, attempt);
    const { expires_at: expiresAt } = row as { expires_at: Date };
    return { kind: 'completed', record: { operationId, response, expiresAt, remainingMs: windowMs }, replayed: false };
  }

  /**
   * COMMIT went out and no answer came. The lock tells: with a record, it was committed; with the lock and no record, it
   * was rolled back; without the lock, the other end may still be committing.
   */
  private async resolveUnknown(attempt: Attempt, { first }: Ending, cause: unknown): Promise<Try> {
    const mine = attempt.intent.operationId;
    for (let look = 1; look <= UNKNOWN_LOOKS; look += 1) {
      const tx = this.claim(attempt);
      try {
        const verdict = await this.look(tx);
        if (verdict.kind === 'first') break;
        if (verdict.kind === 'running' && verdict.operationId === mine && first) return await this.driveOn(first, attempt);
        if (verdict.kind !== 'running' || verdict.operationId) return settled(verdict, mine);
      } catch (error) {
        if (error instanceof IdempotencyRefusal && error.code !== 'service-unavailable') throw error;
        this.log.debug(`look ${look} after a lost COMMIT: ${String(error)}`);
      } finally {
        await tx.release();
      }
      await sleep(50 * 2 ** look);
    }
    throw new IdempotencyRefusal('service-unavailable', { cause });
  }

  /** A crash, or an unknown outcome, left the operation between two phases: this retry takes it over and finishes it. */
  private async resume(operationId: string, attempt: Attempt): Promise<AttemptEnd> {
    const held = await this.steps.takeOver(this.dataSource, attempt.intent.accountId, operationId, 'by a retry');
    return held ? this.driveOn(held, attempt) : { kind: 'in-progress', operationId };
  }

  /** Waits for the steps as long as a request may; they go on without it. */
  private async driveOn(held: HeldOperation, { deadline }: Attempt): Promise<AttemptEnd> {
    const budget = Math.max(this.options.stepBudgetMs, deadline - performance.now());
    const late = new AbortController();
    const pending: Driven = { kind: 'pending', response: held.pending };
    const driven = await Promise.race([
      this.steps.drive(this.dataSource, held),
      sleep(budget, pending, { signal: late.signal, ref: false }),
    ]).finally(() => late.abort());
    if (driven.kind === 'undone') throw driven.error;
    if (driven.kind === 'pending') return { ...driven, operationId: held.operationId };
    return { kind: 'completed', record: driven.record, replayed: driven.stored };
  }
}

/** What a claim that was not won means to the client. */
function settled(verdict: Verdict, mine?: string): Try {
  switch (verdict.kind) {
    case 'completed':
      return { kind: 'completed', record: verdict.record, replayed: verdict.record.operationId !== mine };
    case 'running':
      if (verdict.interrupted && verdict.operationId) return { kind: 'interrupted', operationId: verdict.operationId };
      return { kind: 'in-progress', operationId: verdict.operationId ?? undefined };
    case 'reused':
      throw new IdempotencyRefusal('idempotency-key-reused', { operationId: publicOperationId(verdict.operationId) });
    case 'expired':
      throw new IdempotencyRefusal('idempotency-key-expired', { operationId: publicOr(verdict.operationId), resource: verdict.resource });
    case 'first':
      throw new Error('a won claim has no stored outcome');
  }
}

/** A handler's step is the first one of its operation. */
function identityOf({ accountId, key, operationId }: Intent): OperationIdentity {
  return { operationId, nextProviderKey: (step) => providerKeyOf({ accountId, key, step, stepNo: 1 }) };
}

function publicOr(operationId: string | undefined): string | undefined {
  return operationId && publicOperationId(operationId);
}

function unavailableOr(error: unknown): unknown {
  return isConnectionLost(error) ? new IdempotencyRefusal('service-unavailable', { cause: error }) : error;
}
