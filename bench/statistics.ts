/** The middle of the values; the mean of the two middle ones where their number is even. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/** The value that `share` (0 to 1) of all values don't exceed; NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** A median with the lowest and the highest of the values behind it. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** All NaN or infinite for no values. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** The number to so many digits that count, whole above that: 1234.5 → 1235, 1.2345 → 1.23. */
export function rounded(value: number, digits = 3): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const places = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  return Number(value.toFixed(Math.min(20, Math.max(0, places))));
}

/** The quotients of two lists, pair by pair: what was measured in the same round is compared. */
export function quotients(above: readonly number[], below: readonly number[]): number[] {
  return above.slice(0, below.length).map((value, index) => value / (below[index] ?? NaN));
}

/**
 * The order of `count` things in this round: a Williams square. Over the rounds each stands at each place, and directly
 * behind each other one, equally often, so that none profits from, or suffers under, what another leaves behind.
 */
export function orderOf(count: number, round: number): number[] {
  const zigzag = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? index / 2 : count - (index + 1) / 2));
  // With an odd count one square is unbalanced; together with its mirror image it is not.
  const [shift, mirrored] = count % 2 === 0 ? [round, false] : [Math.floor(round / 2), round % 2 === 1];
  const order = zigzag.map((place) => (place + shift) % count);
  return mirrored ? order.toReversed() : order;
}
