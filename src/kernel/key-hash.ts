import { hash } from 'node:crypto';

/**
 * What stands for an idempotency key in logs and traces: whoever holds the key itself can ask for the answer, and it may be guessable.
 * `account` is the account's public id.
 */
export type KeyHash = (account: string, key: string) => string;

/**
 * The first 16 hexadecimal digits of SHA-256 over salt, account and key, the same in every replica with the same salt. The account is
 * a salt that all of them know: equal keys of two accounts have different hashes. The configured one keeps whoever has the logs alone
 * from trying keys.
 */
export function keyHashWith(salt: string): KeyHash {
  return (account, key) => hash('sha256', `${salt}\0${account}\0${key}`, 'hex').slice(0, 16);
}
