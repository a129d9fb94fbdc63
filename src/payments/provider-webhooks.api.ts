import type { ApiBodyOptions, ApiHeaderOptions } from '@nestjs/swagger';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { Problem } from '../http/problem.js';
import { PROVIDER_EVENT_SCHEMA } from './provider-event.dto.js';

const schema = { type: 'string' } as const;

export const WEBHOOK_HEADERS: ApiHeaderOptions[] = [
  { name: 'webhook-id', required: true, description: 'Id of the event, the same whenever it is sent.', schema },
  { name: 'webhook-timestamp', required: true, description: 'When it was sent, in seconds since 1970.', schema },
  { name: 'webhook-signature', required: true, description: '`v1,` and the signature in base 64.', schema },
];

export const EVENT_BODY = { schema: PROVIDER_EVENT_SCHEMA } as ApiBodyOptions;

export const RECEIVE_EVENT: ApiOptions = {
  id: 'receiveProviderEvent',
  summary: 'Receive an event of the payment provider',
  description:
    'Events signed as [Standard Webhooks](https://www.standardwebhooks.com) describe. An event wakes the operation that it is about; ' +
    'a repeated, late or foreign one changes nothing.',
  effects: 'each event is taken in once, by its webhook-id',
  requests: { 'A charge': { type: 'charge.succeeded', data: { reference: 'hf_2b7d0c' } } },
  answers: [{ status: 204, description: 'The event was received, now or before.' }],
  problems: [
    new Problem('invalid-request', 'The event has no type, or its data have another form.'),
    new Problem('invalid-signature', 'The webhook is not signed with the shared secret, or too long ago.'),
    new Problem('service-unavailable', 'The database cannot be reached at this moment.'),
  ],
};
