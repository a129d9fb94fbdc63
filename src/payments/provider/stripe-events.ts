// oxlint-disable-next-line import/no-named-as-default -- its CommonJS build, which Jest loads, has the default export only
import Stripe from 'stripe';
import { jsonOf, memberOf, textOf, type EventHint, type SignedEvents } from './signed-event.js';

/** Events may be so old, in seconds; what Stripe's own libraries allow (Stripe docs, "Resolve webhook signature verification errors"). */
const TOLERANCE = 300;

/**
 * Stripe's events. Those of PaymentIntents and refunds are about what was sent with a reference in their metadata; those of
 * charges and disputes name the PaymentIntent that they belong to.
 */
export class StripeEvents implements SignedEvents {
  constructor(private readonly secret: string) {}

  read(headers: Record<string, unknown>, bytes: Buffer): EventHint {
    const signature = headers['stripe-signature'];
    if (typeof signature !== 'string') throw new Error('the event has no signature');
    // Not constructEvent(), which refuses kinds of events that the SDK doesn't know.
    if (!Stripe.webhooks.signature?.verifyHeader(bytes, signature, this.secret, TOLERANCE)) throw new Error('the signature does not fit');
    const event = jsonOf(bytes);
    const object = memberOf(memberOf(event, 'data'), 'object');
    return {
      id: textOf(event, 'id') ?? signature,
      type: textOf(event, 'type'),
      reference: textOf(memberOf(object, 'metadata'), 'reference'),
      providerReference: providerReferenceOf(object),
    };
  }
}

/** The id of the PaymentIntent or refund that an object is, or else of the PaymentIntent that it belongs to, be it written out or not. */
function providerReferenceOf(object: unknown): string | null {
  const kind = textOf(object, 'object');
  if (kind === 'payment_intent' || kind === 'refund') return textOf(object, 'id');
  return textOf(object, 'payment_intent') ?? textOf(memberOf(object, 'payment_intent'), 'id');
}
