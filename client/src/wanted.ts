import { checkKey, newKey } from './key.js';
import type { Store, StoredIntent } from './store.js';

/** A request without a key: of a method that is idempotent by itself. */
export interface PlainRequest {
  method: string;
  /** Behind the client's `baseUrl`, with a slash at its beginning. */
  path: string;
  /** Sent as JSON; a text with a `Content-Type` of its own as it is. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Something that is wanted once. */
export interface Wanted extends PlainRequest {
  /**
   * Instead of a fresh UUIDv7: the name that your own system has for it. Whoever prepares the same again gets the first intent,
   * as long as that is kept.
   */
  key?: string;
}

/** What would be a credential on disk. */
const SECRET = /^(proxy-)?authorization$|^cookie$|token|secret|api-?key/;

let lastMadeAt = 0;

/**
 * Keeps what is wanted under its key.
 * @returns what is kept: with a key of the caller's, the intent that had it before
 * @throws TypeError where a header looks like a credential, or the key is none, or belongs to another intent
 */
export async function keepIntent(store: Store, wanted: Wanted, scope: string, lane?: string): Promise<StoredIntent> {
  const intent = form(wanted, scope, lane);
  if (wanted.key === undefined) {
    await store.write(intent.key, intent);
    return intent;
  }
  return store.lock(`intent:${intent.key}`, async () => {
    const first = await store.read(intent.key);
    if (first && said(first) !== said(intent)) throw new TypeError(`the key ${intent.key} belongs to another intent`);
    if (!first) await store.write(intent.key, intent);
    return first ?? intent;
  });
}

/**
 * The intents of a scope, the oldest first: the queue's, or the others. What has its end and was not seen within the time of its key
 * is removed; what has none is never removed unasked.
 */
export async function keptIntents(store: Store, scope: string, isQueued: boolean): Promise<StoredIntent[]> {
  const intents = (await store.list()).filter((intent) => intent.scope === scope && (intent.lane !== undefined) === isQueued);
  const now = Date.now();
  const isOver = ({ outcome, expiresAt = Infinity }: StoredIntent): boolean => outcome !== undefined && expiresAt <= now;
  for (const { key } of intents.filter(isOver)) await store.write(key, null);
  return intents.filter((intent) => !isOver(intent)).sort((one, other) => one.madeAt - other.madeAt);
}

/**
 * A request as it is sent.
 * @throws TypeError where its path, a header or its body can't be sent
 */
export function serialize({ method, path, headers = {}, body }: PlainRequest): Pick<StoredIntent, 'method' | 'path' | 'headers' | 'body'> {
  if (!path.startsWith('/')) throw new TypeError(`a path begins with a slash: ${JSON.stringify(path)}`);
  const lower = Object.fromEntries(new Headers(headers));
  if (body === undefined) return { method, path, headers: lower, body: null };
  const type = lower['content-type'] ?? 'application/json';
  const text = isJson(type) ? JSON.stringify(body) : body;
  if (typeof text !== 'string') throw new TypeError(`this can't be sent as ${type}`);
  return { method, path, headers: { ...lower, 'content-type': type }, body: text };
}

/** Whether a media type is JSON. */
export function isJson(type: string | undefined): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(type ?? '');
}

function form(wanted: Wanted, scope: string, lane: string | undefined): StoredIntent {
  const request = serialize(wanted);
  const secret = Object.keys(request.headers).find((name) => SECRET.test(name));
  if (secret !== undefined) throw new TypeError(`${secret} would be stored with the intent: give it by "authorization"`);
  const key = wanted.key === undefined ? newKey() : checkKey(wanted.key);
  // A thousandth of a millisecond apart at least: those of one lane have an order.
  lastMadeAt = Math.max(Date.now(), lastMadeAt + 0.001);
  const intent: StoredIntent = { version: 1, key, scope, ...request, madeAt: lastMadeAt, attempts: 0 };
  return lane === undefined ? intent : { ...intent, lane };
}

/** What two intents of one key must have in common. */
function said({ scope, method, path, headers, body, lane }: StoredIntent): string {
  return JSON.stringify([scope, method, path, headers, body, lane]);
}
