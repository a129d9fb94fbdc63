import { createHmac } from 'node:crypto';
import { isAmong, isRecent } from '../../kernel/signatures.js';
import { jsonOf, memberOf, textOf, type EventHint, type ReadEvent, type SignedEvents } from './signed-event.js';

/** Of 32 bytes; `v0` is for events that are none (Stripe docs, "Verify webhook signatures manually"). */
const SIGNATURE = /^v1=([0-9a-f]{64})$/;

/**
 * Stripe's events. Those of PaymentIntents and refunds are about what was sent with a reference in their metadata; those of
 * charges and disputes name the PaymentIntent that they belong to.
 */
export class StripeEvents implements SignedEvents {
  constructor(private readonly secret: string) {}

  accept({ 'stripe-signature': header }: Record<string, unknown>): ReadEvent {
    const parts = typeof header === 'string' ? header.split(',') : [];
    const timestamp = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
    if (typeof header !== 'string' || !isRecent(timestamp)) throw new Error('the event has no time, or that of another one');
    const presented = parts.flatMap((part) => SIGNATURE.exec(part)?.[1] ?? []);
    if (presented.length === 0) throw new Error('the event has no signature');
    return (bytes) => {
      const signature = createHmac('sha256', this.secret).update(`${timestamp}.`).update(bytes).digest('hex');
      if (!isAmong(presented, signature)) throw new Error('the signature does not fit');
      return hintOf(jsonOf(bytes), header);
    };
  }
}

/** `otherwise`: the id of an event that has none. */
function hintOf(event: unknown, otherwise: string): EventHint {
  const object = memberOf(memberOf(event, 'data'), 'object');
  return {
    id: textOf(event, 'id') ?? otherwise,
    type: textOf(event, 'type'),
    reference: textOf(memberOf(object, 'metadata'), 'reference'),
    providerReference: providerReferenceOf(object),
  };
}

/** The id of the PaymentIntent or refund that an object is, or else of the PaymentIntent that it belongs to, be it written out or not. */
function providerReferenceOf(object: unknown): string | null {
  const kind = textOf(object, 'object');
  if (kind === 'payment_intent' || kind === 'refund') return textOf(object, 'id');
  return textOf(object, 'payment_intent') ?? textOf(memberOf(object, 'payment_intent'), 'id');
}
