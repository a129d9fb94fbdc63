import type { ApiBodyOptions, ApiHeaderOptions } from '@nestjs/swagger';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { Problem } from '../http/problem.js';

const schema = { type: 'string' } as const;

export const WEBHOOK_HEADERS: ApiHeaderOptions[] = [
  { name: 'webhook-id', description: 'Id of the event, the same whenever it is sent.', schema },
  { name: 'webhook-timestamp', description: 'When it was sent, in seconds since 1970.', schema },
  { name: 'webhook-signature', description: '`v1,` and the signature in base 64.', schema },
  { name: 'stripe-signature', description: 'Instead of the three others, where the provider is Stripe.', schema },
];

/** Nothing is required of it: what is not understood is taken as well. */
export const EVENT_BODY: ApiBodyOptions = { schema: { description: 'The event, whatever the provider has to say.' } };

export const RECEIVE_EVENT: ApiOptions = {
  id: 'receiveProviderEvent',
  summary: 'Receive an event of the payment provider',
  description:
    'Events signed as [Standard Webhooks](https://www.standardwebhooks.com) describe, or by Stripe as its own are. An event wakes the ' +
    'operation that it is about, which then asks the provider; a repeated, late, foreign or unknown one is taken and changes nothing.',
  effects: 'each event is taken in once, by its webhook-id',
  requests: { 'A charge': { type: 'charge.succeeded', data: { reference: 'hf_2b7d0c' } } },
  answers: [{ status: 204, description: 'The event was received, now or before.' }],
  problems: [
    new Problem('invalid-signature', 'The webhook is not signed with the shared secret, or too long ago.'),
    new Problem('rate-limited', 'Too many authentications from this address have failed.', { retryAfter: 42 }),
    new Problem('service-unavailable', 'The database cannot be reached at this moment.'),
  ],
};
