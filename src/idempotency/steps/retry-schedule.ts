/** The longest pause, in recovery intervals. */
const LONGEST = 20;
/** Pauses are longer by up to this part, so that what was parked together is not called together. */
const JITTER = 0.25;

/**
 * SQL: how long the recoverer leaves a parked operation alone, as an interval: as long as it was told to, or else one recovery
 * interval after the first attempt, and twice as long after each further one. `interval` and `told` are parameters, in seconds;
 * `told` may be null.
 */
export function pauseOfRecovery(interval: string, told: string): string {
  const doubled = `${interval} * least(power(2, least(attempt, 10) - 1), ${LONGEST})`;
  return `make_interval(secs => greatest(${interval}, coalesce(${told}, ${doubled})) * (1 + random() * ${JITTER}))`;
}
