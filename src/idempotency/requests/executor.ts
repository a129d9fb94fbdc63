import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { AttemptRunner, type Attempt, type AttemptEnd, type Work } from './attempt-runner.js';
import { FairTurns } from './replay-scheduler.js';
import { publicOperationId } from '../operation-id.js';
import { OPTIONS, type CompleteOptions } from '../options.js';
import type { Intent } from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import { ReplayCache } from './replay-cache.js';
import { ReplayCounter } from './replay-counter.js';
import type { StoredResponse } from '../response.js';
import { RunningKeys, type Runner } from './in-flight-keys.js';

/** What the client gets. */
export interface Answer {
  /** uuid */
  operationId: string;
  response: StoredResponse;
  /** Null while the operation has no outcome: a 202 is not kept, the same key gets the final answer later. */
  expiresAt: Date | null;
  replayed: boolean;
}

/** How a request is executed. */
export interface ExecuteOptions {
  waitMs?: number;
  status?: number;
  retryReason?: string | undefined;
  /** The client says that it has sent this before. */
  isRetry?: boolean;
}

type Request = Omit<Attempt, 'onWon'>;
type Completion = Extract<AttemptEnd, { kind: 'completed' }>;

/** First and longest pause between two looks at a key that is in somebody else's hands, in milliseconds. */
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 500;
/** How long a duplicate waits to hear what the first one has found in the database before it looks there itself, in milliseconds. */
const JUDGE_WAIT = 100;

/**
 * Gives each request with a key its one answer. This part is the process's own: it remembers completed answers, sends one
 * request per key to the database and lets the others wait for it. What the database decides is in AttemptRunner.
 */
@Injectable()
export class Engine {
  private readonly cache = new ReplayCache();
  private readonly running = new RunningKeys();
  private readonly turns = new FairTurns();

  constructor(
    private readonly attempts: AttemptRunner,
    private readonly replays: ReplayCounter,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /**
   * The one answer of this request: by executing it or by replaying it.
   * `waitMs`: how long to wait for a result (`Prefer: wait`). `status`: of a plain value that the handler returns.
   * `retryReason`: counted when the answer is a replay.
   * @throws IdempotencyRefusal in progress, reused, expired, unavailable; and whatever the handler throws that isn't final
   */
  async execute(intent: Intent, work: Work, options: ExecuteOptions = {}): Promise<Answer> {
    const { waitMs = 0, status = 200, isRetry = false, retryReason } = options;
    const answer = await this.answer({ intent, work, status, isRetry, deadline: performance.now() + waitMs });
    if (!answer.replayed) return answer;
    this.replays.count(intent.accountId, answer.operationId, retryReason);
    await this.turns.take(intent.accountId);
    return answer;
  }

  private async answer(request: Request): Promise<Answer> {
    const { intent, deadline } = request;
    const scope = `${intent.accountId} ${intent.key}`;
    for (;;) {
      const known = this.remembered(scope, intent);
      if (known) return known;
      const other = this.running.find(scope);
      if (!other) return this.lead(scope, this.running.take(scope, intent.fingerprint), request);
      // Until the other one knows what it has found, there may be a stored answer: a retry of a completed request gets that.
      await within(JUDGE_WAIT, other.judged);
      // A whole transaction in one flight tells nothing before its end. Had it lost its claim, that end would have come by now.
      const stored = other.isJudged ? undefined : await this.attempts.find(intent).catch(nothingWhenUnavailable);
      if (stored?.kind === 'completed') return this.remember(scope, intent, stored);
      if (this.running.find(scope) !== other) continue;
      if (other.fingerprint && other.fingerprint !== intent.fingerprint) throw new IdempotencyRefusal('idempotency-key-reused');
      const left = this.timeLeft(deadline);
      if (left <= 0) throw new IdempotencyRefusal('idempotency-request-in-progress');
      await within(left, other.done);
    }
  }

  /** This process's only runner for the key: tries, and while the result is elsewhere or to come, looks again until the deadline. */
  private async lead(scope: string, runner: Runner, request: Request): Promise<Answer> {
    const { intent, deadline } = request;
    const attempt = { ...request, onWon: () => runner.judge(intent.fingerprint) };
    try {
      for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
        const end = await this.attempts.run(attempt);
        if (end.kind === 'completed') return this.remember(scope, intent, end);
        runner.judge(undefined);
        const left = this.timeLeft(deadline);
        if (left <= 0) return whileUnfinished(end);
        // Each look at a pending operation asks the provider again, so there are few of them.
        await sleep(Math.min(end.kind === 'pending' ? LONGEST_PAUSE : pause, left));
      }
    } finally {
      runner.finish();
    }
  }

  /** How long a request may still wait, in milliseconds; not at all in a process that is about to end. */
  private timeLeft(deadline: number): number {
    return this.options.isClosing() ? 0 : deadline - performance.now();
  }

  private remember(scope: string, { fingerprint }: Intent, { record, replayed }: Completion): Answer {
    this.cache.remember(scope, { ...record, fingerprint });
    return { ...record, replayed };
  }

  private remembered(scope: string, intent: Intent): Answer | undefined {
    const known = this.cache.find(scope);
    if (!known) return undefined;
    if (known.fingerprint !== intent.fingerprint) {
      throw new IdempotencyRefusal('idempotency-key-reused', { operationId: publicOperationId(known.operationId) });
    }
    return { ...known, replayed: true };
  }
}

/** Waits for `event`, but no longer; leaves no timer behind. */
async function within(milliseconds: number, event: Promise<void>): Promise<void> {
  const late = new AbortController();
  const timer = sleep(milliseconds, undefined, { signal: late.signal, ref: false }).catch(() => undefined);
  await Promise.race([event, timer]).finally(() => late.abort());
}

/** With no connection to be had, a duplicate is told what is known without the database. */
function nothingWhenUnavailable(error: unknown): undefined {
  if (!(error instanceof IdempotencyRefusal && error.code === 'service-unavailable')) throw error;
}

/** What a client is told that doesn't wait any longer. */
function whileUnfinished(end: Exclude<AttemptEnd, { kind: 'completed' }>): Answer {
  if (end.kind === 'pending') return { operationId: end.operationId, response: end.response, expiresAt: null, replayed: false };
  throw new IdempotencyRefusal('idempotency-request-in-progress', { operationId: end.operationId && publicOperationId(end.operationId) });
}
