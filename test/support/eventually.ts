import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds; fails with what was awaited after `patience` milliseconds. */
export async function eventually<T>(
  what: string,
  find: () => Promise<T | undefined | false> | T | undefined | false,
  patience = 10_000,
): Promise<T> {
  for (const end = performance.now() + patience; performance.now() < end; await sleep(10)) {
    const found = await find();
    if (found) return found;
  }
  throw new Error(`Waited in vain for: ${what}`);
}
