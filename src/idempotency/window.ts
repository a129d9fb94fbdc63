const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The milliseconds of a window given as a number or as a text such as `7d`; undefined where it isn't given.
 * @throws Error for a text that is none, and where both are given
 */
export function windowOf({ windowMs, window }: { windowMs?: number; window?: string }): number | undefined {
  if (window === undefined) return windowMs;
  if (windowMs !== undefined) throw new Error(`a window is given twice: window ${JSON.stringify(window)} and windowMs ${windowMs}`);
  const [, amount, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(window) ?? [];
  const factor = UNITS[unit];
  if (!factor || Number(amount) === 0)
    throw new Error(`a window is a whole number of ms, s, m, h or d, as in "7d": ${JSON.stringify(window)}`);
  return Number(amount) * factor;
}
