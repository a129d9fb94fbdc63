import { noSuch } from '../http/problem.js';
import { invalid } from '../http/validation.js';
import { created, having, listOf, ok, readOf, type Shown } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { WebhookDeliveryView } from './delivery.dto.js';
import { WebhookEndpointView, WebhookSecretView, endpointPath } from './endpoint.dto.js';
import { rotatedRecently, tooManyEndpoints } from './endpoints.service.js';

const ENDPOINT: Shown = {
  view: WebhookEndpointView,
  example: {
    id: EXAMPLE_ID.we,
    url: 'https://shop.example.com/webhooks',
    types: ['order.paid', 'refund.succeeded'],
    description: 'The warehouse',
    status: 'enabled',
    disabledReason: null,
    failingSince: null,
    previousSecretValidUntil: null,
    createdAt: EXAMPLE_TIME,
    updatedAt: EXAMPLE_TIME,
  },
};

const DELIVERY: Shown = {
  view: WebhookDeliveryView,
  example: {
    id: EXAMPLE_ID.dlv,
    endpointId: EXAMPLE_ID.we,
    eventId: EXAMPLE_ID.evt,
    eventType: 'order.paid',
    status: 'delivered',
    nextAttemptAt: null,
    attempts: [{ attempt: 1, at: EXAMPLE_TIME, status: 200, error: null, ms: 84 }],
    createdAt: EXAMPLE_TIME,
    completedAt: EXAMPLE_TIME,
  },
};

const waiting = (eventType: string): Shown =>
  having(DELIVERY, { eventType, status: 'pending', nextAttemptAt: EXAMPLE_TIME, attempts: [], completedAt: null });

const SECRET: Shown = {
  view: WebhookSecretView,
  example: { secret: `whsec_${'A'.repeat(43)}=`, previousSecret: null, previousSecretValidUntil: null },
};

const NOTHING = { 'Nothing more to say': {} };
const params = { id: idOf('we', 'Id of the endpoint.') };
const problems = [noSuch('webhook endpoint')];
const wrongUrl = invalid([
  { pointer: '/url', detail: 'must be a URL that begins with https:// and has neither user, password nor fragment' },
]);

export const CREATE_ENDPOINT: ApiOptions = {
  id: 'createWebhookEndpoint',
  summary: 'Make a webhook endpoint',
  description:
    'Events of these types are posted to the URL from now on, signed as [Standard Webhooks](https://www.standardwebhooks.com) describe; ' +
    'the secret is read by itself. At least once, versions of a resource in their order; `webhook-id` is the event’s id. A 2xx within ' +
    '10 seconds is success; anything else is tried again for four days, with growing pauses.',
  effects: 'one endpoint',
  requests: {
    'Some types': { url: 'https://shop.example.com/webhooks', types: ['order.paid', 'refund.succeeded'], description: 'The warehouse' },
    'All types': { url: 'https://shop.example.com/webhooks', types: ['*'] },
  },
  answers: [created(ENDPOINT, 'The endpoint is there.', endpointPath({ id: EXAMPLE_ID.we }))],
  problems: [wrongUrl, tooManyEndpoints()],
};

export const LIST_ENDPOINTS = listOf(ENDPOINT, { id: 'listWebhookEndpoints', things: 'webhook endpoints' });

export const GET_ENDPOINT = readOf(ENDPOINT, {
  id: 'getWebhookEndpoint',
  thing: 'webhook endpoint',
  description: 'The endpoint as it stands; `failingSince` tells whether it takes anything.',
  params,
  problems,
});

export const CHANGE_ENDPOINT: ApiOptions = {
  id: 'changeWebhookEndpoint',
  summary: 'Change a webhook endpoint',
  description:
    'Changes what is named. An endpoint that is enabled again goes on where it stood: with all that is pending, and the events since.',
  effects: 'one change',
  params,
  requests: { 'Enable it again': { status: 'enabled' }, 'All types': { types: ['*'] } },
  answers: [ok(ENDPOINT, 'The endpoint as it is now.')],
  problems: [wrongUrl, ...problems],
};

export const DELETE_ENDPOINT: ApiOptions = {
  id: 'deleteWebhookEndpoint',
  summary: 'Delete a webhook endpoint',
  description: 'Removes the endpoint with all that is pending. A message that is under way may still arrive.',
  effects: 'the endpoint is gone',
  params,
  answers: [{ status: 204, description: 'It is gone.' }],
  problems,
};

export const ROTATE_SECRET: ApiOptions = {
  id: 'rotateWebhookSecret',
  summary: 'Rotate a webhook secret',
  description: 'Makes a new secret. For 24 hours messages carry two signatures, one by the old secret, so that none is refused meanwhile.',
  effects: 'one new secret',
  params,
  requests: NOTHING,
  answers: [ok(having(ENDPOINT, { previousSecretValidUntil: EXAMPLE_TIME }), 'The endpoint has a new secret.')],
  problems: [...problems, rotatedRecently(new Date(EXAMPLE_TIME))],
};

export const GET_SECRET: ApiOptions = {
  id: 'getWebhookSecret',
  summary: 'Read a webhook secret',
  description: 'What messages are signed with. No other answer has it, and none that is stored.',
  params,
  answers: [ok(SECRET, 'The secret.')],
  problems,
};

export const TEST_ENDPOINT: ApiOptions = {
  id: 'testWebhookEndpoint',
  summary: 'Test a webhook endpoint',
  description:
    'Sends an event of the type `endpoint.test`, whatever types are wanted. Among the deliveries it is seen what becomes of it; ' +
    'the list of events doesn’t have it.',
  effects: 'one delivery',
  params,
  requests: NOTHING,
  answers: [{ ...ok(waiting('endpoint.test'), 'The delivery is due.'), status: 201 }],
  problems,
};

export const LIST_DELIVERIES: ApiOptions = {
  ...listOf(DELIVERY, {
    id: 'listWebhookDeliveries',
    things: 'deliveries',
    description: 'What was sent to the endpoint and is to be, newest first, with the attempts. Kept for 30 days.',
    problems,
  }),
  params,
};

export const REDELIVER: ApiOptions = {
  id: 'redeliverWebhook',
  summary: 'Redeliver an event',
  description:
    'Sends it again, delivered or dead, with the same `webhook-id`, and with all attempts of a new one. One that is pending is due now. ' +
    'Later versions of its resource that are pending wait for it.',
  effects: 'one more round of attempts',
  params: { id: idOf('dlv', 'Id of the delivery.') },
  requests: NOTHING,
  answers: [ok(waiting('order.paid'), 'The delivery is due.')],
  problems: [noSuch('delivery')],
};
