import { operationIdOf, problemOf, type Answer } from './answer.js';
import type { AttemptResult, RetryReason, Silence } from './attempt.js';
import { done, isUnauthorized, refused, unknown } from './ending.js';
import type { Outcome, UnknownReason } from './outcome.js';
import { pauseAfter, type Backoff } from './retry/backoff.js';
import { retryAfterMs } from './retry/retry-after.js';
import { judge } from './verdict.js';

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

/** One `send`: what its attempts have told so far. */
export class Trip {
  attemptsLeft: number;
  /** All attempts, the earlier ones included. */
  made: number;
  /** Attempts of this `send` that failed. */
  failures = 0;
  /** The last answer said that the request is under way. */
  isUnderWay = false;
  retryAfterMs: number | undefined;
  /** Why there is a next attempt. */
  reason: RetryReason;
  /** Attempts of this `send` that found it under way. */
  private looks = 0;
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
  headers(retryHeaders: boolean, timeoutMs: number): Record<string, string> {
    const headers = { ...this.parcel.headers };
    if (this.made === 0 || !retryHeaders) return headers;
    headers['retry-attempt'] = String(this.made + 1);
    headers['retry-reason'] = this.reason;
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
    if (silence.reason !== 'aborted') this.fail(silence.reason === 'authorization' ? 'connection' : silence.reason);
  }

  private takeAnswer(answer: Answer): Outcome | undefined {
    this.answer = answer;
    this.silence = undefined;
    // A method that needs no key may be repeated whatever came of it: each answer is the one that counts.
    const judgement = judge(answer, this.inDoubt && 'idempotency-key' in this.parcel.headers);
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
    } else this.fail(status === 429 ? 'rate-limited' : status === 408 ? 'timeout' : 'server-error');
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
