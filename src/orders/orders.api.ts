import { created, having, listOf, ok, readOf, type Shown } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { Problem, noSuch } from '../http/problem.js';
import { arrivedLate } from '../http/request-deadline.js';
import { invalid } from '../http/validation.js';
import { OrderView } from './order.dto.js';

/** An order as answers show it. */
export const ORDER: Shown = {
  view: OrderView,
  example: {
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
};

const params = { id: idOf('ord', 'Id of the order.') };

export const PLACE_ORDER: ApiOptions = {
  id: 'placeOrder',
  summary: 'Place an order',
  description:
    'Takes the prices from the catalogue and reserves the stock, in the one transaction that also stores the answer: order, ' +
    'reservation and answer exist together or not at all. Stock never becomes negative, however many order at once.',
  effects: 'one order, and its stock reserved once',
  requests: {
    'Two lamps': {
      items: [{ productId: '123', quantity: 2 }],
      expectedTotal: 5000,
      currency: 'EUR',
      customerReference: 'cart-7781',
      metadata: { channel: 'web' },
    },
    'The least that is needed': { items: [{ productId: '123', quantity: 1 }] },
  },
  answers: [created(ORDER, 'The order is placed and its stock reserved.', `/v1/orders/${EXAMPLE_ID.ord}`)],
  problems: [
    invalid([{ pointer: '/items/0/quantity', detail: 'must not be greater than 1000' }]),
    arrivedLate(),
    new Problem('insufficient-stock', 'Product 123: 1000 ordered, 12 in stock.'),
    new Problem('unknown-product', 'Not in the catalogue: 999.'),
    new Problem('total-mismatch', 'The total is 5000, not 4900.'),
    new Problem('currency-mismatch', 'The catalogue is in EUR, the request in USD.'),
    new Problem('total-too-large', 'The total would be 1000000000000.'),
  ],
};

export const LIST_ORDERS = listOf(ORDER, { id: 'listOrders', things: 'orders' });

export const GET_ORDER = readOf(ORDER, {
  id: 'getOrder',
  thing: 'order',
  description: 'The order in its present version.',
  params,
  problems: [noSuch('order')],
});

export const CHANGE_ORDER: ApiOptions = {
  id: 'changeOrder',
  summary: 'Change an order',
  description: 'Changes the client’s own data in an order, provided that nobody else changed the order since it was read.',
  effects: 'one change, one new version',
  params,
  requests: {
    'Another reference': { customerReference: 'cart-7782' },
    'Other metadata': { metadata: { channel: 'phone', clerk: 'Ada' } },
  },
  answers: [ok(having(ORDER, { customerReference: 'cart-7782', version: 2 }), 'The order in its new version.')],
  problems: [noSuch('order')],
};
