import { operationIdOf, problemOf, type Answer } from './answer.js';
import { attempt, type AttemptResult, type RetryReason, type Silence } from './attempt.js';
import { done, isUnauthorized, refused, unknown } from './ending.js';
import type { Outcome, UnknownReason } from './outcome.js';
import { pauseAfter, type Backoff } from './retry/backoff.js';
import { CircuitBreaker, type CircuitBreakerOptions } from './retry/circuit-breaker.js';
import { Patience } from './retry/patience.js';
import { retryAfterMs } from './retry/retry-after.js';
import { RetryBudget, type RetryBudgetOptions } from './retry/retry-budget.js';
import { judge } from './verdict.js';

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
  /** Default `{ failures: 5, openMs: 5_000 }`. */
  circuitBreaker: CircuitBreakerOptions;
  /** Whether retries say so in `Retry-Attempt` and `Retry-Reason`. A server of another origin must allow these headers. Default true. */
  announceRetries: boolean;
  /** The platform's, unless told otherwise. */
  fetch: typeof globalThis.fetch;
}

/** What is sent, however often. */
export interface Parcel {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | null;
  /** Attempts that were made before, in this process or in another one. */
  earlierAttempts: number;
  /** Why it is sent again, where there were earlier ones. */
  reason: RetryReason;
}

/** Seconds by which a server that is asked to wait should answer earlier than the attempt's time ends. */
const MARGIN_SECONDS = 2;
/** The longest wait that Holdfast grants (RFC 7240, section 4.3, leaves it to the server). */
const LONGEST_WAIT_SECONDS = 30;

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
  async send(parcel: Parcel, patience: Patience): Promise<Outcome> {
    const trip = new Trip(parcel, this.options.attempts);
    if (parcel.earlierAttempts === 0) this.budget.deposit();
    else this.budget.take();
    for (;;) {
      const ended = await this.pass(trip, patience);
      if (ended) return trip.unknown(ended);
      const result = await this.attempt(trip, patience);
      const outcome = trip.take(result);
      if (outcome) return outcome;
      const stop = await this.pause(trip, patience);
      if (stop) return trip.unknown(stop);
    }
  }

  /** Waits until the breaker lets an attempt through; tells why it never does. */
  private async pass(trip: Trip, patience: Patience): Promise<UnknownReason | undefined> {
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
    const result = await this.sendOnce(trip, timeoutMs, patience.signal);
    if ('silence' in result && result.silence.reason === 'aborted') this.breaker.abandoned();
    else if ('silence' in result || result.answer.status >= 500) this.breaker.failed(performance.now());
    else this.breaker.succeeded();
    return result;
  }

  private async sendOnce(trip: Trip, timeoutMs: number, signal: AbortSignal): Promise<AttemptResult> {
    let authorization: Record<string, string>;
    try {
      authorization = await this.authorization();
    } catch (cause) {
      return { silence: { reason: 'connection', mayHaveLeft: false, cause } };
    }
    const { url, method, body } = trip.parcel;
    const headers = { ...trip.headers(this.options.announceRetries, timeoutMs), ...authorization };
    return attempt(this.options.fetch, { url, method, headers, body }, timeoutMs, signal);
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

/** One `send`: what its attempts have told so far. */
class Trip {
  attemptsLeft: number;
  /** Attempts of this `send` that failed. */
  failures = 0;
  /** The last answer said that the request is under way. */
  isUnderWay = false;
  retryAfterMs: number | undefined;
  /** Attempts of this `send` that found it under way. */
  private looks = 0;
  private made: number;
  private reason: RetryReason;
  private inDoubt: boolean;
  private answer: Answer | undefined;
  private silence: Silence | undefined;

  constructor(
    readonly parcel: Parcel,
    private readonly attempts: number,
  ) {
    this.attemptsLeft = attempts;
    this.made = parcel.earlierAttempts;
    this.reason = parcel.reason;
    this.inDoubt = parcel.earlierAttempts > 0;
  }

  /** The headers of the next attempt. */
  headers(announceRetries: boolean, timeoutMs: number): Record<string, string> {
    const headers = { ...this.parcel.headers };
    if (this.made > 0 && announceRetries) {
      headers['retry-attempt'] = String(this.made + 1);
      headers['retry-reason'] = this.reason;
    }
    const waitSeconds = Math.min(LONGEST_WAIT_SECONDS, Math.floor(timeoutMs / 1_000) - MARGIN_SECONDS);
    if (this.isUnderWay && waitSeconds > 0) headers['prefer'] = [headers['prefer'], `wait=${waitSeconds}`].filter(Boolean).join(', ');
    return headers;
  }

  /** The pause before the next attempt: what the server asked for, and behind a failure the jitter on top, lest all come back at once. */
  pauseMs(backoff: Backoff): number {
    const jitterMs = pauseAfter(this.failures + this.looks, backoff);
    return this.isUnderWay ? (this.retryAfterMs ?? jitterMs) : (this.retryAfterMs ?? 0) + jitterMs;
  }

  /** Takes what an attempt came to; the outcome, if that is one. */
  take(result: AttemptResult): Outcome | undefined {
    this.made += 1;
    this.isUnderWay = false;
    this.retryAfterMs = undefined;
    return 'silence' in result ? this.takeSilence(result.silence) : this.takeAnswer(result.answer);
  }

  /** What is known when it ends here. */
  unknown(reason: UnknownReason): Outcome {
    const operationId = this.answer && operationIdOf(this.answer);
    return unknown(reason, {
      mayHaveHappened: this.inDoubt,
      ...(operationId !== undefined && { operationId }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.answer && { problem: problemOf(this.answer) }),
      ...(this.silence && { cause: this.silence.cause }),
    });
  }

  private takeSilence(silence: Silence): undefined {
    this.silence = silence;
    this.inDoubt ||= silence.mayHaveLeft;
    if (silence.reason !== 'aborted') this.fail(silence.reason);
  }

  private takeAnswer(answer: Answer): Outcome | undefined {
    this.answer = answer;
    this.silence = undefined;
    const judgement = judge(answer, this.inDoubt);
    if (judgement === 'done') return done(answer);
    if (judgement === 'new-key' || judgement === 'never') return refused(answer, judgement === 'new-key');
    const { status, headers } = answer;
    if (judgement === 'look-up') {
      this.inDoubt = true;
      return this.unknown(whyUndecided(answer));
    }
    this.retryAfterMs = retryAfterMs(headers['retry-after'], Date.now());
    this.isUnderWay = status === 202 || status === 409;
    this.inDoubt ||= this.isUnderWay || status >= 500;
    if (this.isUnderWay) {
      this.reason = 'in-progress';
      this.looks += 1;
      if (this.attempts === 1) this.attemptsLeft = 0;
    } else this.fail(status === 429 ? 'rate-limited' : status >= 500 ? 'server-error' : 'timeout');
  }

  private fail(reason: RetryReason): void {
    this.reason = reason;
    this.failures += 1;
    this.attemptsLeft -= 1;
  }
}

function whyUndecided(answer: Answer): UnknownReason {
  if (answer.status < 400) return 'redirected';
  if (isUnauthorized(answer.status)) return 'unauthorized';
  return problemOf(answer).code === 'idempotency-key-expired' ? 'expired' : 'undecided';
}
