/** The longest pause, in recovery intervals. */
const LONGEST = 20;
/** Pauses are longer by up to this part, so that what was parked together is not called together. */
const JITTER = 0.25;

/**
 * How long the recoverer leaves a parked operation alone, in milliseconds: as long as it was told to, or else one recovery interval after
 * the first attempt, and twice as long after each further one; never shorter than one.
 */
export function pauseOfRecovery(attempt: number, intervalMs: number, toldMs: number | undefined): number {
  const doubled = intervalMs * Math.min(2 ** (attempt - 1), LONGEST);
  return Math.max(intervalMs, toldMs ?? doubled) * (1 + Math.random() * JITTER);
}
