import { hash } from 'node:crypto';
import { enterBy } from '../postgres/account-scope.js';
import type { Call, Statement } from '../postgres/statement.js';
import { lockNumber } from './key.js';

/** A row of the statements that take keys. */
export interface Taken {
  locked: boolean;
  now: Date;
}

/**
 * What the statements below call where tables lie on several servers: there a lock is taken by the server that has the account's rows, whichever
 * one the replica entered by, and is that server's for as long as the transaction lasts. `npm run citus` makes them, and has them run there.
 */
export const LOCKING_FUNCTIONS: readonly string[] = [
  `
    CREATE OR REPLACE FUNCTION idempotency_lock_keys(account uuid, numbers bigint[]) RETURNS TABLE (locked boolean, now timestamptz)
    LANGUAGE sql VOLATILE AS $$
      SELECT pg_try_advisory_xact_lock(n), date_trunc('milliseconds', clock_timestamp()) FROM unnest(numbers) WITH ORDINALITY AS k (n, at) ORDER BY at
    $$`,
  `
    CREATE OR REPLACE FUNCTION idempotency_lock_request(account uuid, own bigint, request bigint, wanted text) RETURNS void
    LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        IF pg_try_advisory_xact_lock(own)
           AND NOT EXISTS (SELECT FROM idempotency_records
                            WHERE account_id = account AND key = wanted AND (status <> 'completed' OR expires_at > clock_timestamp()))
        THEN PERFORM pg_advisory_xact_lock(request);
        END IF;
      END $$`,
];

/** The lock makes a concurrent duplicate fail at once instead of holding a connection; it ends with the transaction, whose account this says too. */
export const LOCK: Statement = {
  name: 'idempotency-lock',
  text: `SELECT pg_try_advisory_xact_lock($1::bigint) AS locked, date_trunc('milliseconds', clock_timestamp()) AS now, ${enterBy('$2')}`,
  spread: `SELECT locked, now FROM idempotency_lock_keys($2::uuid, ARRAY[$1::bigint])`,
};

/** The locks of several keys of one account: whoever misses one does nothing, so nobody waits, in whatever order others take theirs. */
const LOCK_SEVERAL: Statement = {
  name: 'idempotency-lock-several',
  text: `SELECT pg_try_advisory_xact_lock(n) AS locked, date_trunc('milliseconds', clock_timestamp()) AS now
           FROM unnest($1::bigint[]) WITH ORDINALITY AS k (n, at), (VALUES ($2::uuid)) AS whose (account) ORDER BY at`,
  spread: `SELECT locked, now FROM idempotency_lock_keys($2::uuid, $1::bigint[])`,
};

/**
 * One request after the other, of those that ask the same under different keys. Only for whoever has the key's lock and finds no
 * answer: a duplicate under the same key must not wait here, and a replay neither.
 */
const LOCK_REQUEST: Statement = {
  name: 'idempotency-lock-request',
  text: `SELECT CASE WHEN pg_try_advisory_xact_lock($1::bigint)
                      AND NOT EXISTS (SELECT FROM idempotency_records
                                       WHERE account_id = $3 AND key = $4 AND (status <> 'completed' OR expires_at > clock_timestamp()))
                     THEN pg_advisory_xact_lock($2::bigint) END`,
  spread: `SELECT idempotency_lock_request($3::uuid, $1::bigint, $2::bigint, $4::text)`,
};

/** Takes a key, unless somebody has it: one row of `Taken`. */
export function lockKey(accountId: string, key: string): Call {
  return { ...LOCK, values: [lockNumber(accountId, key), accountId] };
}

/** Takes several keys of an account, each unless somebody has it: a row of `Taken` for each, in their order. */
export function lockKeys(accountId: string, keys: readonly string[]): Call {
  return { ...LOCK_SEVERAL, values: [keys.map((key) => lockNumber(accountId, key)), accountId] };
}

/** Has whoever has taken the key, and finds no answer under it, wait for others that ask the same under other keys; to the transaction's end. */
export function lockRequest(accountId: string, key: string, fingerprint: string): Call {
  return { ...LOCK_REQUEST, values: [lockNumber(accountId, key), requestLock(accountId, fingerprint), accountId, key] };
}

/** Another space than that of keys: a key has no NUL, and a fingerprint here stands behind two. */
function requestLock(accountId: string, fingerprint: string): string {
  return hash('sha256', `${accountId}\0\0${fingerprint}`, 'buffer').readBigInt64BE(0).toString();
}
