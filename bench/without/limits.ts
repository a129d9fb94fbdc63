import 'reflect-metadata';
import { RateLimits } from '../../src/accounts/rate-limits.js';
import { AccountTurns } from '../../src/idempotency/requests/account-turns.js';

/** Loaded before the service: no account has a limit or waits for its turn. */
Object.assign(AccountTurns.prototype, {
  inTurn: <T>(_account: string, work: () => Promise<T>): Promise<T> => work(),
  hasPlaceFor: () => true,
});
Object.assign(RateLimits.prototype, {
  count: () => Promise.resolve({ isOver: false, resetSeconds: 1 }),
  checkAddress: () => undefined,
});
