/** The first pause after a failed attempt is at most so long, in seconds; it doubles with each failure, and each is drawn from all of it. */
export const FIRST_PAUSE_S = 10;
/** The longest of these pauses, in seconds. */
export const LONGEST_PAUSE_S = 6 * 3_600;
/** The shortest, in seconds. */
export const SHORTEST_PAUSE_S = 1;
/** A delivery is given up when its attempts have failed for so long. */
export const DEAD_AFTER = '4 days';
/** Before that, where the endpoint takes nothing at all, it is disabled: what is pending then waits for it to be enabled again. */
export const DISABLED_AFTER = '3 days';

/** Seconds from a failed attempt, of whose delivery so many had failed before, to the next one. */
export function pauseAfter(failures: number): number {
  return Math.max(SHORTEST_PAUSE_S, Math.random() * Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** Math.min(failures, 20)));
}
