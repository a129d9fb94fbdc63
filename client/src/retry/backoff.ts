/** Bounds of the pauses between attempts. */
export interface Backoff {
  /** The longest pause before the second attempt, in milliseconds; doubles with every attempt. */
  baseMs: number;
  /** The longest pause there is, in milliseconds. */
  capMs: number;
}

/**
 * The pause behind an attempt, counted from 1: anything from 0 to `baseMs` × 2^(attempt − 1), at most `capMs`, with the same
 * probability ("full jitter": clients that failed together don't come back together).
 */
export function pauseAfter(attempt: number, { baseMs, capMs }: Backoff, random: () => number = Math.random): number {
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
