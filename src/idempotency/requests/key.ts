import { hash } from 'node:crypto';
import { IdempotencyRefusal } from '../refusal.js';

const HEADER = 'idempotency-key';
const VISIBLE = /^[\x21-\x7e]{1,255}$/;
/** RFC 9651, section 3.3.3: a string is quoted, and only the quote and the backslash are escaped. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** A key as the client sent it and as it is compared: `"abc"` and `abc` are the same key. */
export interface SentKey {
  key: string;
  received: string;
}

/**
 * Reads the Idempotency-Key of a request, bare or as an RFC 9651 string (draft-ietf-httpapi-idempotency-key-header-07, section 2.1).
 * Takes the raw header list of node:http, since the joined form hides that a header was sent twice.
 * @throws IdempotencyRefusal `idempotency-key-missing` or `idempotency-key-invalid`
 */
export function readKey(rawHeaders: readonly string[]): SentKey {
  let received: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== HEADER.length || name.toLowerCase() !== HEADER) continue;
    if (received !== undefined) throw new IdempotencyRefusal('idempotency-key-invalid');
    received = rawHeaders[at + 1];
  }
  if (received === undefined) throw new IdempotencyRefusal('idempotency-key-missing');
  return { key: parseKey(received), received };
}

/**
 * The key inside a header value.
 * @throws IdempotencyRefusal `idempotency-key-invalid`
 */
export function parseKey(value: string): string {
  const key = value.startsWith('"') ? QUOTED.exec(value)?.[1]?.replace(/\\(["\\])/g, '$1') : value;
  if (key === undefined || !VISIBLE.test(key)) throw new IdempotencyRefusal('idempotency-key-invalid');
  return key;
}

/** The 64 bits, as a signed decimal, under which PostgreSQL's advisory locks know an (account, key). */
export function lockNumber(accountId: string, key: string): string {
  return hash('sha256', `${accountId}\0${key}`, 'buffer').readBigInt64BE(0).toString();
}
