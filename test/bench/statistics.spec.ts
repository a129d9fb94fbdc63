import { median, orderOf, percentile, quotients, rounded, spread } from '../../bench/statistics.js';

it('the median is the middle value, or the mean of the two middle ones', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

it('a percentile is a value that occurred', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 50, 99, 100]);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});

it('a spread goes from the lowest to the highest', () => {
  expect(spread([2, 9, 4])).toEqual({ median: 4, low: 2, high: 9 });
});

it('rounding keeps the digits that count, and never cuts a whole number', () => {
  expect([1.2345, 0.012345, 123.45, 1234.5, -1.2345, 0].map((value) => rounded(value))).toEqual([1.23, 0.0123, 123, 1235, -1.23, 0]);
  expect(rounded(1.2345, 2)).toBe(1.2);
  expect(rounded(NaN)).toBeNaN();
});

it('quotients compare what was measured in the same round', () => {
  expect(quotients([2, 9, 4], [1, 3, 8])).toEqual([2, 3, 0.5]);
});

describe('the order of the variants', () => {
  it.each([1, 2, 3, 4, 5, 6, 7])('puts each of %i at each place, and behind each other one, equally often', (count) => {
    const rounds = count * 2;
    const places = new Map<string, number>();
    const neighbours = new Map<string, number>();
    for (let round = 0; round < rounds; round += 1) {
      const order = orderOf(count, round);
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
      order.forEach((one, place) => {
        add(places, `${one} at ${place}`);
        if (place > 0) add(neighbours, `${one} behind ${order[place - 1]}`);
      });
    }
    expect(new Set(places.values())).toEqual(new Set([2]));
    expect(places.size).toBe(count * count);
    expect(neighbours.size).toBe(count * (count - 1));
    expect(new Set(neighbours.values()).size).toBeLessThanOrEqual(1);
  });
});

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
