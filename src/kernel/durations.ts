/** Lengths of time as people write them (`250ms`, `30s`, `1m`, `24h`, `400d`), in milliseconds. */
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration such as `30s` into milliseconds.
 * @throws Error when the text is not a whole number followed by ms, s, m, h or d
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new Error('must be a duration such as 500ms, 30s, 1m, 24h or 400d');
  return Number(match[1]) * unit;
}
