import { Problem } from '../http/problem.js';
import type { Obstacles } from './obstacles.store.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** So many declines in so many milliseconds, and no payment is tried until the oldest of them is further away. */
interface Brake {
  declines: number;
  windowMs: number;
}

/**
 * Against whoever tries out stolen cards: the provider is not asked any more. The declines are counted from the payments
 * themselves, so that all replicas count alike and a restart forgets nothing. An order's payments come one after the other, so its
 * count is exact; an account's payments of several orders that are under way at once may all still be declined.
 */
export const DECLINES_OF_ORDER: Brake = { declines: 10, windowMs: HOUR };
export const DECLINES_OF_ACCOUNT: Brake = { declines: 60, windowMs: MINUTE };

/** @throws Problem `rate-limited`, which stores nothing, while one of the brakes is on; `now`: by the database's clock */
export function refuseWhileBraked({ orderDecline, accountDecline }: Obstacles, now: Date): void {
  refuse('order', DECLINES_OF_ORDER, orderDecline, now);
  refuse('account', DECLINES_OF_ACCOUNT, accountDecline, now);
}

function refuse(of: 'order' | 'account', { windowMs }: Brake, oldest: Date | null, now: Date): void {
  const leftMs = oldest === null ? 0 : oldest.getTime() + windowMs - now.getTime();
  if (leftMs > 0) throw declinedTooOften(of, Math.ceil(leftMs / 1_000));
}

/** `retryAfter`: in seconds. */
export function declinedTooOften(of: 'order' | 'account', retryAfter: number): Problem {
  return new Problem('rate-limited', `Payments of this ${of} were declined too often.`, { retryAfter });
}
