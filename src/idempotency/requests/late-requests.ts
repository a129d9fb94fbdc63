import type { CompleteOptions } from '../options.js';
import type { IdempotencyRefusal } from '../refusal.js';

const CANONICAL_UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A clock that is ahead by less is not worth a word, in milliseconds. */
const WORTH_A_WORD_MS = 10_000;

/** Rules for a late request. */
export interface LateRequests {
  /** `execute`: forget after the window and run again, as most implementations do. */
  policy: 'refuse' | 'execute';
  /** A UUIDv7 key from before this many milliseconds ago can't be told from a forgotten one. */
  horizonMs: number;
}

/** The rules that the application has chosen. */
export function lateRequestsOf({ lateRequests, archiveMs }: CompleteOptions): LateRequests {
  return { policy: lateRequests, horizonMs: archiveMs };
}

/** Milliseconds since 1970 that a canonical UUIDv7 key carries (RFC 9562, section 5.7), or null for any other key. */
export function timeOfKey(key: string): number | null {
  return CANONICAL_UUID_V7.test(key) ? Number.parseInt(key.slice(0, 8) + key.slice(9, 13), 16) : null;
}

/** Whether a key that nobody remembers is so old by its own time that it may have been used and forgotten. */
export function mayBeForgotten(key: string, now: Date, { policy, horizonMs }: LateRequests): boolean {
  const time = timeOfKey(key);
  return policy === 'refuse' && time !== null && time < now.getTime() - horizonMs;
}

/**
 * Tells the client of an expired key what the key itself says about its time, in capitals too: it may come from a clock that is
 * wrong.
 */
export function tellTime(refusal: IdempotencyRefusal, key: string): IdempotencyRefusal {
  const time = timeOfKey(key.toLowerCase());
  if (refusal.code !== 'idempotency-key-expired' || time === null) return refusal;
  refusal.message += ` ${wordsOn(time, refusal.operationId !== undefined)}`;
  return refusal;
}

function wordsOn(time: number, isKnown: boolean): string {
  const said = `By its own time the key was made at ${new Date(time).toISOString()}`;
  if (time > Date.now() + WORTH_A_WORD_MS) {
    return `${said}, which is still to come: the clock that made it is ahead. A new request takes a new key, made by a clock that is right.`;
  }
  if (isKnown) return `${said}.`;
  return (
    `${said}, longer ago than keys are remembered here, so that nobody can tell whether it was used. ` +
    'If the request is new, that clock is wrong: set it, and send the request with a new key.'
  );
}
