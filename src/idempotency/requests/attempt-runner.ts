import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Call } from '../postgres/pipeline.js';
import { publicOperationId } from '../operation-id.js';
import { insertRunning, note, providerKeyOf, type HeldOperation } from '../steps/operation.store.js';
import { Novelty } from './new-key-predictor.js';
import { inside } from '../postgres/connection-guard.js';
import { OPTIONS, type CompleteOptions } from '../options.js';
import { databaseError, isConnectionLost, isRetryable } from '../postgres/errors.js';
import { RecordReader } from '../postgres/batched-reader.js';
import {
  CLAIM_CONSTRAINT,
  claimAtOnce,
  claimGate,
  deleteExpired,
  findRecord,
  insertCompleted,
  judgeRecord,
  type Completed,
  type Intent,
  type LateRequests,
  type Verdict,
} from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import { toResponse, type StoredResponse } from '../response.js';
import { isEnd, reply, stepName, type Next } from '../step.js';
import { StepRunner, type Driven } from '../steps/step-runner.js';
import { GateLost, Transaction, type OperationIdentity } from '../transaction.js';

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
  /** The client says that it has sent this before; decides what is tried first, not what comes of it. */
  isRetry: boolean;
  /** Called as soon as the claim is won. */
  onWon(): void;
}

/** How an attempt ended. `in-progress`: somebody else is at it. `pending`: its steps have no outcome yet. Operation ids are uuids. */
export type AttemptEnd =
  | { kind: 'completed'; record: Completed; replayed: boolean }
  | { kind: 'pending'; operationId: string; response: StoredResponse }
  | { kind: 'in-progress'; operationId: string | undefined };

type Try = AttemptEnd | { kind: 'interrupted'; operationId: string };

/** What a transaction is to commit. */
interface Ending {
  response: StoredResponse;
  resource: string | undefined;
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
  private readonly novelty = new Novelty();
  private readonly reader: RecordReader;

  constructor(
    private readonly dataSource: DataSource,
    private readonly steps: StepRunner,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {
    this.reader = new RecordReader(dataSource);
  }

  /**
   * A new key costs one flight when the handler needs no look at the database, and a stored answer one statement. Whatever
   * doesn't come out that way goes step by step.
   */
  async run(attempt: Attempt): Promise<AttemptEnd> {
    const { intent } = attempt;
    const isNew = !attempt.isRetry && this.novelty.isExpectedOf(intent.key);
    const end =
      (isNew ? undefined : await this.find(intent)) ??
      (await this.tryAtOnce(attempt)) ??
      (await this.find(intent)) ??
      (await this.tryStepByStep(attempt));
    return end.kind === 'interrupted' ? this.resume(end.operationId, attempt) : end;
  }

  /** What is stored under the key; undefined where that takes a claim to say. @throws IdempotencyRefusal as `run` does */
  async find(intent: Intent): Promise<Try | undefined> {
    const found = await this.reader.read(findRecord(intent)).catch(throwUnavailable);
    this.novelty.saw(intent.key, found.rows.length === 0);
    const verdict = judgeRecord(intent, this.late, found);
    return verdict && settled(verdict);
  }

  /** Undefined: it came to no decision, and nothing of it remains. */
  private async tryAtOnce(attempt: Attempt): Promise<Try | undefined> {
    const tx = this.claim(attempt, { mayRely: true });
    try {
      const ending = await this.handle(tx, attempt);
      if ('thrown' in ending) return tx.relies ? undefined : await this.refused(tx, attempt, ending.thrown);
      if (!tx.isUntouched || ending.first) return await this.complete(tx, attempt, ending);
      return await this.completeAtOnce(tx, attempt, ending);
    } catch (error) {
      if (isRetryable(error)) return undefined;
      throw error;
    } finally {
      await tx.release();
    }
  }

  /** Local work may run again when the database rolled it back for reasons that lie in other transactions. The first run was `tryAtOnce`. */
  private async tryStepByStep(attempt: Attempt): Promise<Try> {
    for (let run = 2; ; run += 1) {
      const tx = this.claim(attempt);
      try {
        const ending = await this.handle(tx, attempt);
        const end = 'thrown' in ending ? await this.refused(tx, attempt, ending.thrown) : await this.complete(tx, attempt, ending);
        if (end) return end;
      } catch (error) {
        if (!isRetryable(error) || run === MAX_RUNS) throw error;
      } finally {
        await tx.release();
      }
      await sleep(Math.random() * 20 * run);
    }
  }

  private claim(attempt: Attempt, { mayRely = false } = {}): Transaction<Verdict> {
    const gate = claimGate(attempt.intent, this.late);
    const judge: typeof gate.judge = (results) => {
      const found = gate.judge(results);
      this.novelty.saw(attempt.intent.key, found.verdict.kind === 'first');
      if (found.won) attempt.onWon();
      return found;
    };
    return new Transaction(this.dataSource, { ...gate, judge }, identityOf(attempt.intent), mayRely);
  }

  private get late(): LateRequests {
    return { policy: this.options.lateRequests, horizonMs: this.options.archiveMs };
  }

  private async handle(tx: Transaction, attempt: Attempt): Promise<Ending | { thrown: unknown }> {
    try {
      const returned = await inside(tx, () => attempt.work(tx));
      return isEnd('next', returned) ? this.goOn(tx, attempt, returned) : this.finish(attempt, returned);
    } catch (thrown) {
      return { thrown };
    }
  }

  /** The handler returned an answer, as a reply or as a plain value. */
  private finish({ intent, status }: Attempt, returned: unknown): Ending {
    const answer = isEnd('reply', returned) ? returned : reply(status, returned);
    return { response: toResponse(answer, intent.operationId), resource: answer.resource, first: undefined };
  }

  /** The handler named a step: the record is committed as running, held by this process. */
  private goOn(tx: Transaction, { intent }: Attempt, { step, subjectId, pending }: Next): Ending {
    if (!pending) throw new Error('the first step needs a pending reply');
    const name = stepName(step);
    const response = toResponse(pending, intent.operationId);
    tx.write(...note(intent, 'claimed', intent.operation));
    tx.write(...note(intent, 'step-started', name));
    const { accountId, key, operationId, operation, traceId, windowMs } = intent;
    const held = { accountId, key, operationId, operation, traceId, windowMs, step: name, stepNo: 1, subjectId, attempt: 1, ageMs: 0 };
    return { response, resource: pending.resource, first: { ...held, pending: response } };
  }

  /**
   * The handler threw. A lost claim has its answer in the record, whatever the handler made of it. A final refusal is
   * stored in a transaction of its own, after everything that the handler wrote is undone. Anything else stores nothing.
   */
  private async refused(tx: Transaction<Verdict>, attempt: Attempt, thrown: unknown): Promise<Try | undefined> {
    if (tx.found && tx.found.kind !== 'first') return settled(tx.found);
    const { intent } = attempt;
    const error = tx.meaningOf(thrown);
    const rendered = this.options.render(error, { operationId: tx.operationId, traceId: intent.traceId });
    if (rendered === 'not-final') {
      if (isConnectionLost(error)) throw unavailableOr(error);
      // The look needs a connection, and whoever holds one while waiting for another can wait for himself.
      await tx.release();
      // The validation rules may have changed since the key was used: a stored answer goes before a 400.
      const verdict = tx.found ?? (await this.lookOnly(attempt));
      if (verdict.kind !== 'first') return settled(verdict);
      throw error;
    }
    await tx.release();
    return this.complete(this.claim(attempt), attempt, { response: rendered, resource: undefined, first: undefined });
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

  /** Commits what the handler wrote and its record in one flight, and releases the transaction. Undefined as for `tryAtOnce`. */
  private async completeAtOnce(tx: Transaction<Verdict>, attempt: Attempt, ending: Ending): Promise<Try | undefined> {
    const { intent } = attempt;
    const commit = await tx.commitAtOnce(claimAtOnce(intent, ending.response, ending.resource, this.late)).catch(throwUnavailable);
    await tx.release();
    if (commit.kind === 'unknown') return this.resolveUnknown(attempt, ending, commit.error);
    if (commit.kind === 'rolled-back') return undefined;
    this.novelty.saw(intent.key, true);
    return this.committed(attempt, ending, commit.result.rows[0]);
  }

  /** Commits the work and its record, and releases the transaction. Undefined where the work relied on what is no longer so. */
  private async complete(tx: Transaction<Verdict>, attempt: Attempt, ending: Ending): Promise<Try | undefined> {
    try {
      const verdict = await this.look(tx);
      if (verdict.kind !== 'first') return settled(verdict);
      if (verdict.replaces) tx.write(...deleteExpired(attempt.intent, verdict.replaces));
      const commit = await tx.commit(this.recordOf(attempt.intent, ending));
      await tx.release();
      if (commit.kind === 'committed') return await this.committed(attempt, ending, commit.result.rows[0]);
      // Another transaction inserted the key between our look and our INSERT; its record is the answer.
      const claimLost = databaseError(commit.error)?.constraint === CLAIM_CONSTRAINT;
      if (commit.kind === 'unknown' || claimLost) return await this.resolveUnknown(attempt, ending, commit.error);
      if (tx.relies) return undefined;
      const meaning = tx.meaningOf(commit.error);
      if (meaning === commit.error) throw commit.error;
      return await this.refused(tx, attempt, meaning);
    } finally {
      await tx.release();
    }
  }

  private recordOf(intent: Intent, { response, resource, first }: Ending): Call {
    if (!first) return insertCompleted(intent, response, resource);
    const { step, subjectId } = first;
    return insertRunning(intent, { step, subjectId, pending: response, resource }, this.options);
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
      const verdict = await this.lookAfterLoss(attempt, look);
      if (verdict?.kind === 'first') break;
      if (verdict?.kind === 'running' && verdict.operationId === mine && first) return this.driveOn(first, attempt);
      if (verdict && (verdict.kind !== 'running' || verdict.operationId)) return settled(verdict, mine);
      await sleep(50 * 2 ** look);
    }
    throw new IdempotencyRefusal('service-unavailable', { cause });
  }

  /** Undefined: not now. Gives its connection back before anything else is done: steps need others, and may take long. */
  private async lookAfterLoss(attempt: Attempt, look: number): Promise<Verdict | undefined> {
    const tx = this.claim(attempt);
    try {
      return await this.look(tx);
    } catch (error) {
      this.log.debug(`look ${look} after a lost COMMIT: ${String(error)}`);
      return undefined;
    } finally {
      await tx.release();
    }
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

function throwUnavailable(error: unknown): never {
  throw unavailableOr(error);
}

function unavailableOr(error: unknown): unknown {
  return isConnectionLost(error) ? new IdempotencyRefusal('service-unavailable', { cause: error }) : error;
}
