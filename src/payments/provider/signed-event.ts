import { readJsonObject } from '../../http/json.js';
import { isAmong, isRecent, signWebhook, webhookKey } from '../../kernel/signatures.js';

/** In UTF-16 code units; more than any provider's ids and types have. */
const MAX_LENGTH = 255;
/** More than any provider's events have. */
const MAX_VALUES = 10_000;

/** What an event of the provider is about, as far as it is understood. It is a hint: nothing is concluded from it but that asking is worth it. */
export interface EventHint {
  /** The event's id, the same whenever it is sent. */
  id: string;
  type: string | null;
  /** What the charge or refund was sent with. */
  reference: string | null;
  /** The provider's own id of the charge or refund. */
  providerReference: string | null;
}

/** Injection token of the way in which the provider in use signs its events. */
export const SIGNED_EVENTS = Symbol('holdfast:signed-events');

/** How a provider signs its events. */
export interface SignedEvents {
  /**
   * Looks at the headers alone, and says how to read the body that they sign.
   * @throws Error when no body could make them right: without a signature, malformed, or of another time
   */
  accept(headers: Record<string, unknown>): ReadEvent;
}

/** Reads an event. @throws Error when it is not signed with the secret */
export type ReadEvent = (bytes: Buffer) => EventHint;

/** Without a shared secret nothing can be believed. */
export class NoEvents implements SignedEvents {
  accept(): never {
    throw new Error('there is no PROVIDER_WEBHOOK_SECRET');
  }
}

/** As Standard Webhooks write it: of 32 bytes, in a version that is known here. */
const SIGNATURE = /^v1,[A-Za-z0-9+/]{43}=$/;

/** Events as [Standard Webhooks](https://www.standardwebhooks.com) describe them, which the sandbox sends. */
export class StandardEvents implements SignedEvents {
  private readonly key: Buffer;

  constructor(secret: string) {
    this.key = webhookKey(secret);
  }

  accept({ 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }: Record<string, unknown>): ReadEvent {
    if (typeof id !== 'string' || id === '') throw new Error('the event has no id');
    if (typeof timestamp !== 'string' || !isRecent(timestamp)) throw new Error('the event has no time, or that of another one');
    const presented = typeof signature === 'string' ? signature.split(' ').filter((each) => SIGNATURE.test(each)) : [];
    if (presented.length === 0) throw new Error('the event has no signature');
    return (bytes) => {
      if (!isAmong(presented, signWebhook(this.key, id, timestamp, bytes))) throw new Error('the signature does not fit');
      const event = jsonOf(bytes);
      const data = memberOf(event, 'data');
      return { id, type: textOf(event, 'type'), reference: textOf(data, 'reference'), providerReference: textOf(data, 'id') };
    };
  }
}

/** The JSON object in a body; undefined where there is none, or one so wide or deep that to read it would keep others waiting. */
export function jsonOf(bytes: Buffer): unknown {
  try {
    return readJsonObject(bytes, MAX_VALUES).body;
  } catch {
    return undefined;
  }
}

/** A member of what may be an object. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The same where it is a text that PostgreSQL can hold and that is short enough to be an id or a name; null where it isn't. */
export function textOf(value: unknown, name: string): string | null {
  const text = memberOf(value, name);
  return typeof text === 'string' && text !== '' && text.length <= MAX_LENGTH && text.isWellFormed() && !text.includes('\0') ? text : null;
}
