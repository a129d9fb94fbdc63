import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { publicOperationId } from '../operation-id.js';
import { OPTIONS, type CompleteOptions } from '../options.js';
import type { Intent } from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import type { StoredResponse } from '../reply.js';
import { Attempts } from './attempt.js';
import { endOf, type AttemptEnd } from './attempt-end.js';
import type { KeyedRequest } from './claim.js';
import { InFlightKeys } from './in-flight-keys.js';
import type { ToldItem } from './item-outcome.js';
import { ReplayCache } from './replay-cache.js';
import { ReplayScheduler } from './replay-scheduler.js';
import { ReplayCounter } from './replay-counter.js';
import { within } from './within.js';

/** What the client gets. */
export interface Answer {
  /** uuid */
  operationId: string;
  response: StoredResponse;
  /** Null while the operation has no outcome: a 202 is not kept, the same key gets the final answer later. */
  expiresAt: Date | null;
  replayed: boolean;
  /** Whether another request under the key was waited for, or for its outcome. */
  waited: boolean;
  /** When the key's first request came, on the monotonic clock of this process. */
  bornAt: number;
  /** The answer is that this may be a duplicate of another key's request. */
  isDuplicate?: boolean | undefined;
  /** What became of items that were executed with it. */
  items?: readonly ToldItem[] | undefined;
  /** Of the request that executed, or began to. */
  traceparent: string | null;
  /** Of a 202, when its steps may be called again, in milliseconds, where that is known. */
  resumableInMs?: number | undefined;
}

type Completion = Extract<AttemptEnd, { kind: 'completed' }>;

/** First and longest pause between two looks at a key that is in somebody else's hands, in milliseconds. */
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 500;
/** How long a duplicate waits to hear what the first one has found in the database before it looks there itself, in milliseconds. */
const LEADER_WAIT = 100;

/**
 * Gives each request with a key its one answer. This part is the process's own: it remembers completed answers, sends one
 * request per key to the database and lets the others wait for it. What the database decides is in Attempts.
 */
@Injectable()
export class Executor {
  private readonly inFlight = new InFlightKeys();
  private readonly replays = new ReplayScheduler();

  constructor(
    private readonly attempts: Attempts,
    private readonly cache: ReplayCache,
    private readonly counter: ReplayCounter,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /**
   * The one answer of this request: by executing it or by replaying it.
   * @throws IdempotencyRefusal in progress, reused, expired, unavailable; and whatever the handler throws that isn't final
   */
  async execute(request: KeyedRequest): Promise<Answer> {
    const { intent, retry } = request;
    const cameAt = performance.now();
    const answer = await this.answer(request).catch((error: unknown) => {
      if (retry.isRetry && isInProgress(error)) this.counter.countTry(intent, retry, cameAt);
      throw error;
    });
    for (const item of answer.items ?? []) if (item.outcome === 'replayed') this.counter.countReplay(item.intent, retry);
    if (answer.replayed) {
      this.counter.countReplay(intent, retry);
      await this.replays.take(intent.accountId);
    } else if (retry.isRetry) this.counter.countTry(intent, retry, cameAt);
    return answer;
  }

  private async answer(request: KeyedRequest): Promise<Answer> {
    const { intent } = request;
    const scope = `${intent.accountId} ${intent.key}`;
    for (let waited = false; ; waited = true) {
      const known = this.remembered(scope, intent, waited) ?? (await this.follow(scope, request));
      if (known) return known;
      if (!this.inFlight.find(scope)) return this.lead(scope, request, waited);
    }
  }

  /** Waits for the request of this process that has the key in hand; undefined when it is done without an answer for this one, or there is none. */
  private async follow(scope: string, { intent, deadline }: KeyedRequest): Promise<Answer | undefined> {
    const leader = this.inFlight.find(scope);
    if (!leader) return undefined;
    await within(LEADER_WAIT, leader.known, undefined);
    const { term } = this.cache;
    // An optimistic leader knows nothing before its end, and the stored answer of a completed request must not wait for that.
    const found = leader.state === 'claiming' ? await this.attempts.find(intent).catch(nothingWhenUnavailable) : undefined;
    const stored = found && endOf(found);
    if (stored?.kind === 'completed') return this.remember(scope, intent, stored, { term, waited: true });
    if (this.inFlight.find(scope) !== leader) return undefined;
    if (leader.state !== 'elsewhere' && leader.fingerprint !== intent.fingerprint) throw new IdempotencyRefusal('idempotency-key-reused');
    const left = this.timeLeft(deadline);
    if (left <= 0) throw new IdempotencyRefusal('idempotency-request-in-progress');
    await within(left, leader.done, undefined);
    return undefined;
  }

  /** This process's only request for the key: tries, and while the result is elsewhere or to come, looks again until the deadline. */
  private async lead(scope: string, request: KeyedRequest, hasWaited: boolean): Promise<Answer> {
    const { intent } = request;
    const leader = this.inFlight.take(scope, intent.fingerprint);
    let waited = hasWaited;
    try {
      for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
        const { term } = this.cache;
        const end = await this.attempts.make(request, leader);
        if (end.kind === 'completed') return this.remember(scope, intent, end, { term, waited });
        leader.learn('elsewhere');
        const left = this.timeLeft(request.deadline);
        if (left <= 0) return whileUnfinished(end, waited);
        waited = true;
        // A look at a pending operation calls its step once the time for that has come.
        await sleep(Math.min(end.kind === 'pending' ? LONGEST_PAUSE : pause, left));
      }
    } finally {
      leader.finish();
    }
  }

  /** How long a request may still wait, in milliseconds; not at all in a process that is about to end. */
  private timeLeft(deadline: number): number {
    return this.options.isClosing() ? 0 : deadline - performance.now();
  }

  private remember(scope: string, { fingerprint }: Intent, end: Completion, { term, waited }: { term: number; waited: boolean }): Answer {
    const { record, replayed, isDuplicate, items } = end;
    this.cache.remember(scope, { ...record, fingerprint }, term);
    return { ...record, replayed, waited, isDuplicate, items };
  }

  private remembered(scope: string, intent: Intent, waited: boolean): Answer | undefined {
    const known = this.cache.find(scope);
    if (!known) return undefined;
    if (known.fingerprint !== intent.fingerprint) {
      throw new IdempotencyRefusal('idempotency-key-reused', { operationId: publicOperationId(known.operationId) });
    }
    return { ...known, replayed: true, waited };
  }
}

function isInProgress(error: unknown): boolean {
  return error instanceof IdempotencyRefusal && error.code === 'idempotency-request-in-progress';
}

/** With no connection to be had, a duplicate is told what is known without the database. */
function nothingWhenUnavailable(error: unknown): undefined {
  if (!(error instanceof IdempotencyRefusal && error.code === 'service-unavailable')) throw error;
}

/** What a client is told that doesn't wait any longer. */
function whileUnfinished(end: Exclude<AttemptEnd, Completion>, waited: boolean): Answer {
  if (end.kind === 'pending') {
    const { operationId, response, traceparent, resumableInMs } = end;
    return { operationId, response, expiresAt: null, replayed: false, waited, bornAt: performance.now(), traceparent, resumableInMs };
  }
  throw new IdempotencyRefusal('idempotency-request-in-progress', { operationId: end.operationId && publicOperationId(end.operationId) });
}
