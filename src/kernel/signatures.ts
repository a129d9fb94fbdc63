import { createHmac, timingSafeEqual } from 'node:crypto';

/** A signed message may be so old, or so far ahead, in seconds: what Standard Webhooks recommend and Stripe's own libraries allow. */
const TOLERANCE = 300;

/** The bytes of a secret of Standard Webhooks, `whsec_<base64>`. */
export function webhookKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

/**
 * One signature of a message, `v1,<base64>` of HMAC-SHA256 over its id, time and body
 * ([Standard Webhooks](https://www.standardwebhooks.com), "Signature scheme"). `timestamp`: in seconds since 1970.
 */
export function signWebhook(key: Buffer, id: string, timestamp: string, body: Buffer | string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** True for the time of a message, in whole seconds since 1970 as a header tells it, that is near enough to be sent just now. */
export function isRecent(timestamp: string): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(Math.floor(Date.now() / 1_000) - Number(timestamp)) <= TOLERANCE;
}

/** Whether the signature is among those presented; how far one of them fits doesn't show in the time that this takes. */
export function isAmong(presented: readonly string[], signature: string): boolean {
  const expected = Buffer.from(signature);
  return presented.some((each) => {
    const bytes = Buffer.from(each);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}
