/**
 * The milliseconds that `Retry-After` asks for (RFC 9110, section 10.2.3): whole seconds, or a date, which is compared with our
 * clock `now`; never negative. Undefined where the value is neither.
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1_000;
  // Date.parse takes other things for dates, too; those of HTTP begin with the day's name.
  if (!/^\s*[A-Z][a-z]{2,8},? /.test(value)) return undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
