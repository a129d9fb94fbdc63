import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OPTIONS, type CompleteOptions } from './options.js';
import { publicOperationId } from './operation-id.js';
import { databaseError, isConnectionLost, isRetryable } from './postgres-errors.js';
import {
  CLAIM_CONSTRAINT,
  claimGate,
  deleteExpired,
  insertCompleted,
  type Completed,
  type Intent,
  type StoredResponse,
  type Verdict,
} from './record.store.js';
import { IdempotencyRefusal } from './refusal.js';
import { ReplayCache } from './replay-cache.js';
import { RunningKeys, type Runner } from './running-keys.js';
import { isReply, reply, type Reply } from './step.js';
import { GateLost, Transaction } from './transaction.js';

/** What the client gets. */
export interface Answer extends Completed {
  replayed: boolean;
}

/** A handler: one run of the work in the given transaction. */
export type Work = (tx: Transaction) => Promise<unknown>;

/** An end of one try: an answer, or the news that somebody else is at it. */
type Try = { kind: 'answer'; answer: Answer } | { kind: 'in-progress'; operationId: string | undefined };

/** Runs of a handler for one request, when the database asks for another one. */
const MAX_RUNS = 5;
/** Looks at the database after a COMMIT without an answer, while it restarts or fails over. */
const UNKNOWN_LOOKS = 6;
/** Largest stored response; the table's CHECK says the same. */
const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

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
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /**
   * The one answer of this request: by executing it or by replaying it.
   * `waitMs`: how long to wait when the same request is running already (`Prefer: wait`).
   * `status`: of a plain value that the handler returns.
   * @throws IdempotencyRefusal in progress, reused, expired, unavailable; and whatever the handler throws that isn't final
   */
  async execute(intent: Intent, work: Work, { waitMs = 0, status = 200 } = {}): Promise<Answer> {
    const scope = `${intent.accountId} ${intent.key}`;
    const deadline = performance.now() + waitMs;
    for (;;) {
      const known = this.remembered(scope, intent);
      if (known) return known;
      const other = this.running.find(scope);
      if (!other) return this.lead(scope, intent, work, status, deadline);
      // Until the other one knows what it has found, there may be a stored answer: a retry of a completed request gets that.
      await other.judged;
      if (this.running.find(scope) !== other) continue;
      if (other.fingerprint && !other.fingerprint.equals(intent.fingerprint)) throw new IdempotencyRefusal('idempotency-key-reused');
      const left = deadline - performance.now();
      if (left <= 0) throw new IdempotencyRefusal('idempotency-request-in-progress');
      await Promise.race([other.done, sleep(left, undefined, { ref: false })]);
    }
  }

  /** This process's only runner for the key: tries, and while another process is at it, looks again until the deadline. */
  private async lead(scope: string, intent: Intent, work: Work, status: number, deadline: number): Promise<Answer> {
    const runner = this.running.take(scope);
    try {
      for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
        const end = await this.tryRepeatedly(intent, work, status, runner);
        if (end.kind === 'answer') {
          this.cache.remember(scope, { ...end.answer, fingerprint: intent.fingerprint });
          return end.answer;
        }
        runner.judge(undefined);
        const left = deadline - performance.now();
        if (left <= 0) throw new IdempotencyRefusal('idempotency-request-in-progress', { operationId: end.operationId });
        await sleep(Math.min(pause, left));
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
  private async tryRepeatedly(intent: Intent, work: Work, status: number, runner: Runner): Promise<Try> {
    for (let run = 1; ; run += 1) {
      try {
        return await this.tryOnce(intent, work, status, runner);
      } catch (error) {
        if (!isRetryable(error) || run === MAX_RUNS) throw error;
        await sleep(Math.random() * 20 * run);
      }
    }
  }

  private async tryOnce(intent: Intent, work: Work, status: number, runner: Runner): Promise<Try> {
    const tx = this.claim(intent, runner);
    try {
      let result: Reply;
      try {
        const returned = await tx.enter(() => work(tx));
        result = isReply(returned) ? returned : reply(status, returned);
      } catch (error) {
        return await this.refused(tx, intent, error, runner);
      }
      return await this.complete(tx, intent, toResponse(result, intent), result.resource, runner);
    } finally {
      await tx.release();
    }
  }

  private claim(intent: Intent, runner: Runner): Transaction<Verdict> {
    const gate = claimGate(intent, { policy: this.options.lateRequests, horizonMs: this.options.archiveMs });
    const judge: typeof gate.judge = (results) => {
      const found = gate.judge(results);
      if (found.won) runner.judge(intent.fingerprint);
      return found;
    };
    return new Transaction(this.dataSource, { calls: gate.calls, judge }, publicOperationId(intent.operationId));
  }

  /**
   * The handler threw. A lost claim has its answer in the record, whatever the handler made of it. A final refusal is
   * stored in a transaction of its own, after everything that the handler wrote is undone. Anything else stores nothing.
   */
  private async refused(tx: Transaction<Verdict>, intent: Intent, thrown: unknown, runner: Runner): Promise<Try> {
    if (tx.found && tx.found.kind !== 'first') return settled(tx.found);
    const error = tx.meaningOf(thrown);
    const rendered = this.options.render(error, { operationId: tx.operationId, traceId: intent.traceId });
    if (rendered === 'not-final') {
      if (isConnectionLost(error)) throw new IdempotencyRefusal('service-unavailable', { cause: error });
      // The validation rules may have changed since the key was used: a stored answer goes before a 400.
      const verdict = tx.found ?? (await this.look(tx));
      if (verdict.kind !== 'first') return settled(verdict);
      throw error;
    }
    await tx.release();
    const second = this.claim(intent, runner);
    try {
      return await this.complete(second, intent, rendered, undefined, runner);
    } finally {
      await second.release();
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

  /** Commits the work and its record. */
  private async complete(
    tx: Transaction<Verdict>,
    intent: Intent,
    response: StoredResponse,
    resource: string | undefined,
    runner: Runner,
  ): Promise<Try> {
    const verdict = await this.look(tx);
    if (verdict.kind !== 'first') return settled(verdict);
    if (verdict.replaces) tx.write(...asWrite(deleteExpired(intent, verdict.replaces)));
    const commit = await tx.commit(insertCompleted(intent, response, resource));
    if (commit.kind === 'committed') {
      const { expires_at: expiresAt } = commit.result.rows[0] as { expires_at: Date };
      return {
        kind: 'answer',
        answer: { operationId: intent.operationId, response, expiresAt, remainingMs: intent.windowMs, replayed: false },
      };
    }
    await tx.release();
    if (commit.kind === 'unknown') return this.resolveUnknown(intent, commit.error, runner);
    // Another transaction inserted the key between our look and our INSERT; its record is the answer.
    if (databaseError(commit.error)?.constraint === CLAIM_CONSTRAINT) return this.resolveUnknown(intent, commit.error, runner);
    const meaning = tx.meaningOf(commit.error);
    if (meaning === commit.error) throw commit.error;
    return this.refused(tx, intent, meaning, runner);
  }

  /**
   * COMMIT went out and no answer came. The lock tells: with a record, it was committed; with the lock and no record, it
   * was rolled back; without the lock, the other end may still be committing.
   */
  private async resolveUnknown(intent: Intent, cause: unknown, runner: Runner): Promise<Try> {
    for (let look = 1; look <= UNKNOWN_LOOKS; look += 1) {
      const tx = this.claim(intent, runner);
      try {
        const verdict = await this.look(tx);
        if (verdict.kind === 'first') break;
        if (verdict.kind !== 'running') return settled(verdict, intent.operationId);
      } catch (error) {
        this.log.debug(`look ${look} after a lost COMMIT: ${String(error)}`);
      } finally {
        await tx.release();
      }
      await sleep(50 * 2 ** look);
    }
    throw new IdempotencyRefusal('service-unavailable', { cause });
  }
}

/** What a claim that was not won means to the client. */
function settled(verdict: Verdict, mine?: string): Try {
  switch (verdict.kind) {
    case 'completed':
      return { kind: 'answer', answer: { ...verdict.record, replayed: verdict.record.operationId !== mine } };
    case 'running':
      return { kind: 'in-progress', operationId: verdict.operationId ? publicOperationId(verdict.operationId) : undefined };
    case 'reused':
      throw new IdempotencyRefusal('idempotency-key-reused', { operationId: publicOperationId(verdict.operationId) });
    case 'expired':
      throw new IdempotencyRefusal('idempotency-key-expired', {
        operationId: verdict.operationId && publicOperationId(verdict.operationId),
        resource: verdict.resource,
      });
    case 'first':
      throw new Error('a won claim has no stored outcome');
  }
}

function unavailableOr(error: unknown): unknown {
  return isConnectionLost(error) ? new IdempotencyRefusal('service-unavailable', { cause: error }) : error;
}

/** The bytes to store and to send. */
function toResponse({ status, body, headers }: Reply, intent: Intent): StoredResponse {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  if (bytes.length > MAX_RESPONSE_BYTES) throw new Error(`a response of ${bytes.length} bytes is too large to store`);
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers, 'operation-id': publicOperationId(intent.operationId) },
    body: bytes,
  };
}

function asWrite(call: { name?: string; text: string; values?: unknown[] }): [{ name: string; text: string }, unknown[]] {
  return [{ name: call.name ?? call.text, text: call.text }, call.values ?? []];
}
