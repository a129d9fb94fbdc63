import { RefusalPacer } from '../../src/accounts/refusal-pacer.js';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** How many of the refusals that came at once have left after so many milliseconds. */
async function leftAfter(refusals: number, milliseconds: number): Promise<number> {
  const pacer = new RefusalPacer();
  let left = 0;
  for (let n = 0; n < refusals; n += 1) void pacer.turn().then(() => (left += 1));
  await jest.advanceTimersByTimeAsync(milliseconds);
  return left;
}

it('a hundred refusals leave at once', async () => {
  expect(await leftAfter(100, 0)).toBe(100);
});

it('more of them leave 500 a second, and all of them in the end', async () => {
  const left = await leftAfter(700, 1_000);
  expect(left).toBeGreaterThan(590);
  expect(left).toBeLessThan(610);
  expect(await leftAfter(700, 2_000)).toBe(700);
});
