import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for `event`, but no longer than so many milliseconds: then it is `otherwise`. Leaves no timer behind. */
export async function within<T>(milliseconds: number, event: Promise<T>, otherwise: T): Promise<T> {
  const late = new AbortController();
  const timer = sleep(milliseconds, otherwise, { signal: late.signal, ref: false }).catch(() => otherwise);
  return Promise.race([event, timer]).finally(() => late.abort());
}
