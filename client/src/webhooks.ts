import type { WebhookEvent } from './api/types.js';

/** Why a message is not taken. */
export type WebhookRefusal = 'missing-header' | 'invalid-timestamp' | 'too-old' | 'too-new' | 'no-match';

/** The message is not from who holds the secret, or not from now. Answer 401 and do nothing with it. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';

  constructor(readonly refusal: WebhookRefusal) {
    super(SENTENCES[refusal]);
  }
}

const SENTENCES: Record<WebhookRefusal, string> = {
  'missing-header': 'One of the headers webhook-id, webhook-timestamp and webhook-signature is missing.',
  'invalid-timestamp': 'The header webhook-timestamp is no number of seconds.',
  'too-old': 'The message was signed too long ago: somebody may have kept it.',
  'too-new': 'The message was signed in the future: compare the clocks.',
  'no-match': 'No signature is of this body, id and time by one of the secrets. Was the body parsed before it came here?',
};

/** Headers as fetch has them, or as Node's HTTP server has them. */
export type WebhookHeaders = Pick<Headers, 'get'> | Record<string, string | readonly string[] | undefined>;

export interface VerifyOptions {
  /** How far the time of the message may be from ours, in seconds, either way. Default 300. */
  toleranceSeconds?: number;
  /** Our clock, in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/**
 * Reads a webhook as [Standard Webhooks](https://www.standardwebhooks.com) sign it. Works wherever WebCrypto is: browsers, workers,
 * Node 20 and later. While a secret is being changed the sender signs with both, so a receiver with either takes the message.
 *
 * @param body the bytes as they were received, or their text; not what a framework has parsed
 * @param secrets `whsec_…` as the endpoint has it, or several, any of which will do
 * @returns the event in the body. The same one can come again: remember its id in the transaction that acts on it
 * @throws WebhookVerificationError where the message is not to be believed
 * @throws Error where a secret is empty or no base64
 */
export async function verifyWebhook<Event = WebhookEvent>(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
  { toleranceSeconds = 300, now = Date.now }: VerifyOptions = {},
): Promise<Event> {
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => valueOf(headers, name));
  if (!id || !timestamp || !signature) throw new WebhookVerificationError('missing-header');
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookVerificationError('invalid-timestamp');
  const age = Math.floor(now() / 1_000) - Number(timestamp);
  if (age > toleranceSeconds) throw new WebhookVerificationError('too-old');
  if (age < -toleranceSeconds) throw new WebhookVerificationError('too-new');
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  const keys = await Promise.all([secrets].flat().map(keyOf));
  for (const candidate of signature.split(' ').flatMap(signatureOf)) {
    for (const key of keys) {
      // In constant time, which is the platform's promise.
      if (await crypto.subtle.verify('HMAC', key, candidate, signed)) return JSON.parse(new TextDecoder().decode(bytes)) as Event;
    }
  }
  throw new WebhookVerificationError('no-match');
}

function valueOf(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined;
  const [, value] = Object.entries(headers).find(([each]) => each.toLowerCase() === name) ?? [];
  return typeof value === 'string' ? value : value?.join(' ');
}

function keyOf(secret: string): Promise<CryptoKey> {
  const key = bytesOf(secret.replace(/^whsec_/, ''));
  if (!key?.length) throw new Error('A webhook secret is base64, behind whsec_.');
  return crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

/** The bytes of a `v1` signature; nothing where it is of another version, or not the one way to write its bytes. */
function signatureOf(text: string): Uint8Array<ArrayBuffer>[] {
  const [version, base64 = ''] = text.split(',');
  const bytes = version === 'v1' ? bytesOf(base64) : undefined;
  return bytes && btoa(String.fromCharCode(...bytes)) === base64 ? [bytes] : [];
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
