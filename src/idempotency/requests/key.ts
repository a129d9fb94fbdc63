import { hash } from 'node:crypto';
import { newOperationId } from '../operation-id.js';
import { IdempotencyRefusal } from '../refusal.js';

const HEADER = 'idempotency-key';
const VISIBLE = /^[\x21-\x7e]{1,255}$/;
/** RFC 9651, section 3.3.3: a string is quoted, and only the quote and the backslash are escaped. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** A key as it is compared, and as the header had it, where it came by that: `"abc"` and `abc` are the same key. */
export interface SentKey {
  key: string;
  received: string | undefined;
  /** The client has sent none, so that no other request can have it. */
  isOwn: boolean;
}

/** How a route takes its key. */
export interface KeyRule {
  required?: boolean;
  keyFrom?(request: unknown): string | undefined;
}

/**
 * The key of a request, where its route has it.
 * @throws IdempotencyRefusal `idempotency-key-missing` or `idempotency-key-invalid`
 */
export function keyOf(rule: KeyRule, request: unknown, rawHeaders: readonly string[]): SentKey {
  const received = rule.keyFrom ? rule.keyFrom(request) : headerOf(rawHeaders);
  // Out of a body it may be anything.
  if (received !== undefined && typeof received !== 'string') throw new IdempotencyRefusal('idempotency-key-invalid');
  if (received === undefined || (rule.keyFrom && received === '')) {
    if (rule.required ?? true) throw new IdempotencyRefusal('idempotency-key-missing');
    // No client can send a key with a space in it.
    return { key: `own ${newOperationId()}`, received: undefined, isOwn: true };
  }
  return { key: parseKey(received), received: rule.keyFrom ? undefined : received, isOwn: false };
}

/**
 * The Idempotency-Key header, bare or as an RFC 9651 string (draft-ietf-httpapi-idempotency-key-header-07, section 2.1); undefined
 * where there is none. Takes the raw header list of node:http, since the joined form hides that a header was sent twice.
 * @throws IdempotencyRefusal `idempotency-key-invalid` where it was
 */
function headerOf(rawHeaders: readonly string[]): string | undefined {
  let received: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== HEADER.length || name.toLowerCase() !== HEADER) continue;
    if (received !== undefined) throw new IdempotencyRefusal('idempotency-key-invalid');
    received = rawHeaders[at + 1];
  }
  return received;
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
