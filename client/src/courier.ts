import { attempt, type AttemptResult, type RetryReason } from './attempt.js';
import type { Outcome, UnknownReason } from './outcome.js';
import type { Backoff } from './retry/backoff.js';
import { CircuitBreaker, type CircuitBreakerOptions } from './retry/circuit-breaker.js';
import type { Patience } from './retry/patience.js';
import { RetryBudget, type RetryBudgetOptions } from './retry/retry-budget.js';
import { Trip, type Parcel } from './trip.js';

/** How a client sends. */
export interface SendingOptions {
  /** Attempts of one `send`, the first one included; 1 sends once and retries nothing. Waiting for what is under way takes none. Default 5. */
  attempts: number;
  /** How long one `send` takes at most, in milliseconds, whatever it waits for. Default 60 000. */
  deadlineMs: number;
  /** How long one attempt may go without its answer, in milliseconds. Default 15 000. */
  attemptTimeoutMs: number;
  /** Default `{ baseMs: 200, capMs: 20_000 }`. */
  backoff: Backoff;
  /** Default `{ burst: 10, perSecond: 1, perRequest: 0.2 }`. */
  retryBudget: RetryBudgetOptions;
  /** Default `{ failures: 10, openMs: 5_000 }`. */
  circuitBreaker: CircuitBreakerOptions;
  /**
   * Whether retries carry `Retry-Attempt`, `Retry-Reason` and `Prefer: wait`, which change no outcome. A server of another origin must
   * allow these headers. Default true.
   */
  retryHeaders: boolean;
  /** The platform's, unless told otherwise. */
  fetch: typeof globalThis.fetch;
}

/** What a parcel came to. */
export interface Delivery {
  outcome: Outcome;
  /** All that were made, the earlier ones included. */
  attempts: number;
  /** Why another one would be made. */
  reason: RetryReason;
}

/** Sends requests to one server until their end is known, as patiently as its options say. */
export class Courier {
  private readonly budget: RetryBudget;
  private readonly breaker: CircuitBreaker;

  constructor(
    private readonly options: SendingOptions,
    private readonly authorization: () => Promise<Record<string, string>>,
  ) {
    this.budget = new RetryBudget(options.retryBudget);
    this.breaker = new CircuitBreaker(options.circuitBreaker);
  }

  /** Sends it, for as long as `patience` and the attempts last. */
  async send(parcel: Parcel, patience: Patience): Promise<Delivery> {
    const trip = new Trip(parcel, this.options.attempts);
    if (parcel.earlierAttempts === 0) this.budget.deposit();
    else this.budget.take();
    const outcome = await this.travel(trip, patience);
    return { outcome, attempts: trip.made, reason: trip.reason };
  }

  private async travel(trip: Trip, patience: Patience): Promise<Outcome> {
    for (;;) {
      const ended = await this.pass(patience);
      if (ended) return trip.unknown(ended);
      const result = await this.attempt(trip, patience);
      const outcome = trip.take(result);
      if (outcome) return outcome;
      const stop = await this.pause(trip, patience);
      if (stop) return trip.unknown(stop);
    }
  }

  /** Waits until the breaker lets an attempt through; tells why it never does. */
  private async pass(patience: Patience): Promise<UnknownReason | undefined> {
    for (;;) {
      if (patience.endedBy) return patience.endedBy;
      const waitMs = this.breaker.enter(performance.now());
      if (waitMs === 0) return undefined;
      if (waitMs >= patience.leftMs) return 'circuit-open';
      await patience.sleep(waitMs);
    }
  }

  private async attempt(trip: Trip, patience: Patience): Promise<AttemptResult> {
    const timeoutMs = Math.min(this.options.attemptTimeoutMs, patience.leftMs);
    const result = await this.sendOnce(trip, timeoutMs, patience);
    const isUntold = 'silence' in result && result.silence.reason === 'authorization';
    if (isUntold || patience.endedBy === 'aborted') this.breaker.abandoned();
    else if ('silence' in result || result.answer.status >= 500) this.breaker.failed(performance.now());
    else this.breaker.succeeded();
    return result;
  }

  private async sendOnce(trip: Trip, timeoutMs: number, patience: Patience): Promise<AttemptResult> {
    let authorization: Record<string, string> | void;
    try {
      authorization = await Promise.race([this.authorization(), patience.over]);
    } catch (cause) {
      return { silence: { reason: 'authorization', mayHaveLeft: false, cause } };
    }
    const { url, method, body } = trip.parcel;
    const headers = { ...trip.headers(this.options.retryHeaders, timeoutMs), ...authorization };
    return attempt(this.options.fetch, { url, method, headers, body }, timeoutMs, patience.signal);
  }

  /** Waits before the next attempt; tells why there is none. */
  private async pause(trip: Trip, patience: Patience): Promise<UnknownReason | undefined> {
    if (patience.endedBy) return patience.endedBy;
    if (trip.attemptsLeft === 0) return 'attempts';
    // What is under way was answered: it costs the server nothing to be asked when it said so.
    const tokenMs = trip.isUnderWay ? 0 : this.budget.waitMs();
    const pauseMs = trip.pauseMs(this.options.backoff);
    if (tokenMs > pauseMs && tokenMs >= patience.leftMs) return 'budget';
    if (pauseMs >= patience.leftMs) return 'deadline';
    if (!trip.isUnderWay) this.budget.take();
    await patience.sleep(Math.max(pauseMs, tokenMs));
    return patience.endedBy;
  }
}
