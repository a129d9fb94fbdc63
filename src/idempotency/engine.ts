import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OPTIONS, type CompleteOptions } from './options.js';
import { publicOperationId } from './operation-id.js';
import { insertRunning, note, providerKeyOf, type HeldOperation } from './operation.store.js';
import { databaseError, isConnectionLost, isRetryable } from './postgres-errors.js';
import { CLAIM_CONSTRAINT, claimGate, deleteExpired, insertCompleted, type Completed, type Intent, type Verdict } from './record.store.js';
import { IdempotencyRefusal } from './refusal.js';
import { ReplayCache } from './replay-cache.js';
import { ReplayTally } from './replay-tally.js';
import { toResponse, type StoredResponse } from './response.js';
import { RunningKeys, type Runner } from './running-keys.js';
import { isEnd, reply, stepName, type Next } from './step.js';
import { StepRunner, type Driven } from './step-runner.js';
import { GateLost, Transaction, type Call, type OperationIdentity } from './transaction.js';

/** What the client gets. */
export interface Answer {
  /** uuid */
  operationId: string;
  response: StoredResponse;
  /** Null while the operation has no outcome: a 202 is not kept, the same key gets the final answer later. */
  expiresAt: Date | null;
  replayed: boolean;
}

/** A handler: one run of the work in the given transaction. */
export type Work = (tx: Transaction) => Promise<unknown>;

/** An end of one try. `in-progress`: somebody else is at it. `pending`: its steps have no outcome yet. */
type Try =
  | { kind: 'completed'; record: Completed; replayed: boolean }
  | { kind: 'pending'; operationId: string; response: StoredResponse }
  | { kind: 'interrupted'; operationId: string }
  | { kind: 'in-progress'; operationId: string | undefined };

/** What a transaction that passed the claim is to commit. */
interface Ending {
  last: Call;
  response: StoredResponse;
  /** The step that follows the commit; undefined when the response is the answer. */
  first: HeldOperation | undefined;
}

/** One request and how to run its work. */
interface Task {
  intent: Intent;
  work: Work;
  /** Status of a plain value that the handler returns. */
  status: number;
  runner: Runner;
  deadline: number;
}

/** Runs of a handler for one request, when the database asks for another one. */
const MAX_RUNS = 5;
/** Looks at the database after a COMMIT without an answer, while it restarts or fails over. */
const UNKNOWN_LOOKS = 6;
/** Pause between two looks at an operation whose steps have no outcome, in milliseconds. */
const PENDING_PAUSE = 500;

/**
 * Runs a request's work at most once per (account, key): claims the key, runs the handler, stores the response and
 * commits it all together, or finds out why not and answers what is stored.
 */
@Injectable()
export class Engine {
  private readonly log = new Logger('Idempotency');
  private readonly cache = new ReplayCache();
  private readonly running = new RunningKeys();

  constructor(
    private readonly dataSource: DataSource,
    private readonly steps: StepRunner,
    private readonly tally: ReplayTally,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /**
   * The one answer of this request: by executing it or by replaying it.
   * `waitMs`: how long to wait for a result (`Prefer: wait`). `status`: of a plain value that the handler returns.
   * `retryReason`: counted when the answer is a replay.
   * @throws IdempotencyRefusal in progress, reused, expired, unavailable; and whatever the handler throws that isn't final
   */
  async execute(intent: Intent, work: Work, { waitMs = 0, status = 200, retryReason }: ExecuteOptions = {}): Promise<Answer> {
    const answer = await this.answer(intent, work, status, performance.now() + waitMs);
    if (answer.replayed) this.tally.count(intent.accountId, answer.operationId, retryReason);
    return answer;
  }

  private async answer(intent: Intent, work: Work, status: number, deadline: number): Promise<Answer> {
    const scope = `${intent.accountId} ${intent.key}`;
    for (;;) {
      const known = this.remembered(scope, intent);
      if (known) return known;
      const other = this.running.find(scope);
      if (!other) return this.lead(scope, { intent, work, status, deadline, runner: this.running.take(scope) });
      // Until the other one knows what it has found, there may be a stored answer: a retry of a completed request gets that.
      await other.judged;
      if (this.running.find(scope) !== other) continue;
      if (other.fingerprint && !other.fingerprint.equals(intent.fingerprint)) throw new IdempotencyRefusal('idempotency-key-reused');
      const left = deadline - performance.now();
      if (left <= 0) throw new IdempotencyRefusal('idempotency-request-in-progress');
      await Promise.race([other.done, sleep(left, undefined, { ref: false })]);
    }
  }

  /** This process's only runner for the key: tries, and while the result is elsewhere or to come, looks again until the deadline. */
  private async lead(scope: string, task: Task): Promise<Answer> {
    const { intent, runner, deadline } = task;
    try {
      for (let pause = 25; ; pause = Math.min(pause * 2, PENDING_PAUSE)) {
        const end = await this.tryRepeatedly(task);
        if (end.kind === 'completed') {
          this.cache.remember(scope, { ...end.record, fingerprint: intent.fingerprint });
          return { ...end.record, replayed: end.replayed };
        }
        runner.judge(undefined);
        const left = deadline - performance.now();
        if (left <= 0 && end.kind === 'pending') return { ...end, expiresAt: null, replayed: false };
        if (left <= 0) throw new IdempotencyRefusal('idempotency-request-in-progress', { operationId: publicOr(end.operationId) });
        await sleep(Math.min(end.kind === 'pending' ? PENDING_PAUSE : pause, left));
      }
    } finally {
      runner.finish();
    }
  }

  private remembered(scope: string, intent: Intent): Answer | undefined {
    const known = this.cache.find(scope);
    if (!known) return undefined;
    if (!known.fingerprint.equals(intent.fingerprint)) {
      throw new IdempotencyRefusal('idempotency-key-reused', { operationId: publicOperationId(known.operationId) });
    }
    return { ...known, replayed: true };
  }

  /** Local work may run again when the database rolled it back for reasons that lie in other transactions. */
  private async tryRepeatedly(task: Task): Promise<Try> {
    for (let run = 1; ; run += 1) {
      try {
        const end = await this.tryOnce(task);
        return end.kind === 'interrupted' ? await this.resume(end.operationId, task) : end;
      } catch (error) {
        if (!isRetryable(error) || run === MAX_RUNS) throw error;
        await sleep(Math.random() * 20 * run);
      }
    }
  }

  private async tryOnce(task: Task): Promise<Try> {
    const tx = this.claim(task);
    let ending: Ending;
    try {
      const returned = await tx.enter(() => task.work(tx));
      ending = isEnd('next', returned) ? this.goOn(tx, task, returned) : this.finish(task, returned);
    } catch (error) {
      return await this.refused(tx, task, error).finally(() => tx.release());
    }
    return this.complete(tx, task, ending);
  }

  private claim({ intent, runner }: Task): Transaction<Verdict> {
    const gate = claimGate(intent, { policy: this.options.lateRequests, horizonMs: this.options.archiveMs });
    const judge: typeof gate.judge = (results) => {
      const found = gate.judge(results);
      if (found.won) runner.judge(intent.fingerprint);
      return found;
    };
    return new Transaction(this.dataSource, { calls: gate.calls, judge }, identityOf(intent));
  }

  /** The handler returned an answer, as a reply or as a plain value. */
  private finish({ intent, status }: Task, returned: unknown): Ending {
    const answer = isEnd('reply', returned) ? returned : reply(status, returned);
    const response = toResponse(answer, intent.operationId);
    return { last: insertCompleted(intent, response, answer.resource), response, first: undefined };
  }

  /** The handler named a step: the record is committed as running, held by this process. */
  private goOn(tx: Transaction, { intent }: Task, { step, subjectId, pending }: Next): Ending {
    if (!pending) throw new Error('the first step needs a pending reply');
    const name = stepName(step);
    const response = toResponse(pending, intent.operationId);
    tx.write(...note(intent, 'claimed', intent.operation));
    const last = insertRunning(intent, { step: name, subjectId, pending: response, resource: pending.resource }, this.options);
    const { accountId, key, operationId, operation, traceId, windowMs } = intent;
    const first = { accountId, key, operationId, operation, traceId, windowMs, step: name, stepNo: 1, subjectId, attempt: 1, ageMs: 0 };
    return { last, response, first: { ...first, pending: response } };
  }

  /**
   * The handler threw. A lost claim has its answer in the record, whatever the handler made of it. A final refusal is
   * stored in a transaction of its own, after everything that the handler wrote is undone. Anything else stores nothing.
   */
  private async refused(tx: Transaction<Verdict>, task: Task, thrown: unknown): Promise<Try> {
    if (tx.found && tx.found.kind !== 'first') return settled(tx.found);
    const { intent } = task;
    const error = tx.meaningOf(thrown);
    const rendered = this.options.render(error, { operationId: tx.operationId, traceId: intent.traceId });
    if (rendered === 'not-final') {
      if (isConnectionLost(error)) throw unavailableOr(error);
      // The validation rules may have changed since the key was used: a stored answer goes before a 400.
      const verdict = tx.found ?? (await this.look(tx));
      if (verdict.kind !== 'first') return settled(verdict);
      throw error;
    }
    await tx.release();
    return this.complete(this.claim(task), task, { last: insertCompleted(intent, rendered, undefined), response: rendered, first: undefined });
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
  private async complete(tx: Transaction<Verdict>, task: Task, ending: Ending): Promise<Try> {
    try {
      const verdict = await this.look(tx);
      if (verdict.kind !== 'first') return settled(verdict);
      if (verdict.replaces) tx.write(...deleteExpired(task.intent, verdict.replaces));
      const commit = await tx.commit(ending.last);
      await tx.release();
      if (commit.kind === 'committed') return await this.committed(task, ending, commit.result.rows[0]);
      // Another transaction inserted the key between our look and our INSERT; its record is the answer.
      const claimLost = databaseError(commit.error)?.constraint === CLAIM_CONSTRAINT;
      if (commit.kind === 'unknown' || claimLost) return await this.resolveUnknown(task, ending, commit.error);
      const meaning = tx.meaningOf(commit.error);
      if (meaning === commit.error) throw commit.error;
      return await this.refused(tx, task, meaning);
    } finally {
      await tx.release();
    }
  }

  private async committed(task: Task, { response, first }: Ending, row: unknown): Promise<Try> {
    const { operationId, windowMs } = task.intent;
    if (first) return this.driveOn(first, task, 'by the request');
    const { expires_at: expiresAt } = row as { expires_at: Date };
    return { kind: 'completed', record: { operationId, response, expiresAt, remainingMs: windowMs }, replayed: false };
  }

  /**
   * COMMIT went out and no answer came. The lock tells: with a record, it was committed; with the lock and no record, it
   * was rolled back; without the lock, the other end may still be committing.
   */
  private async resolveUnknown(task: Task, { first }: Ending, cause: unknown): Promise<Try> {
    const mine = task.intent.operationId;
    for (let look = 1; look <= UNKNOWN_LOOKS; look += 1) {
      const tx = this.claim(task);
      try {
        const verdict = await this.look(tx);
        if (verdict.kind === 'first') break;
        if (verdict.kind === 'running' && verdict.operationId === mine && first) return await this.driveOn(first, task, 'by the request');
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
  private async resume(operationId: string, task: Task): Promise<Try> {
    const held = await this.steps.takeOver(this.dataSource, task.intent.accountId, operationId);
    return held ? this.driveOn(held, task, 'by a retry') : { kind: 'in-progress', operationId };
  }

  /** Waits for the steps as long as a request may; they go on without it. */
  private async driveOn(held: HeldOperation, { deadline }: Task, by: string): Promise<Try> {
    const budget = Math.max(this.options.stepBudgetMs, deadline - performance.now());
    const late = new AbortController();
    const pending: Driven = { kind: 'pending', response: held.pending };
    const driven = await Promise.race([
      this.steps.drive(this.dataSource, held, by),
      sleep(budget, pending, { signal: late.signal, ref: false }),
    ]).finally(() => late.abort());
    if (driven.kind === 'undone') throw driven.error;
    if (driven.kind === 'pending') return { ...driven, operationId: held.operationId };
    return { kind: 'completed', record: driven.record, replayed: driven.stored };
  }
}

/** How a request is executed. */
export interface ExecuteOptions {
  waitMs?: number;
  status?: number;
  retryReason?: string | undefined;
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
