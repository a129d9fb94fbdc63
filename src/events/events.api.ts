import { noSuch } from '../http/problem.js';
import { listOf, readOf, type Shown } from '../openapi/api.builders.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { EventView } from './event.dto.js';

const EVENT: Shown = {
  view: EventView,
  example: {
    id: EXAMPLE_ID.evt,
    type: 'order.created',
    createdAt: EXAMPLE_TIME,
    operationId: EXAMPLE_ID.op,
    idempotencyKey: '01933c1e-7bb3-7a51-8d0e-3a4f0c5e9b21',
    resource: { type: 'order', id: EXAMPLE_ID.ord, version: 1 },
    data: {
      id: EXAMPLE_ID.ord,
      status: 'pending',
      items: [{ productId: '123', name: 'Harbour lamp', quantity: 2, unitPrice: 2500 }],
      currency: 'EUR',
      total: 5000,
      customerReference: 'cart-7781',
      metadata: { channel: 'web' },
      version: 1,
      createdAt: EXAMPLE_TIME,
      updatedAt: EXAMPLE_TIME,
    },
  },
};

export const LIST_EVENTS = listOf(EVENT, {
  id: 'listEvents',
  things: 'events',
  description:
    'What became true in the last 30 days, newest first. With `after` the events that follow one, oldest first: nothing that commits late is ' +
    'passed over, since an event is shown there once every transaction that began before its own has ended. `nextCursor` is null then: ' +
    'go on with the id of the last event, and keep yours where there was none. What happens to one resource is ordered by `resource.version`.',
  problems: [noSuch('event')],
});

export const GET_EVENT = readOf(EVENT, {
  id: 'getEvent',
  thing: 'event',
  description: 'The event, which never changes.',
  params: { id: idOf('evt', 'Id of the event.') },
  problems: [noSuch('event')],
});
