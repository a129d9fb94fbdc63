import { created, having, listOf, ok, readOf, type Shown } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { Problem, noSuch, problemDocument } from '../http/problem.js';
import { arrivedLate } from '../http/request-deadline.js';
import { invalid } from '../http/validation.js';
import { BatchView } from './batch.dto.js';
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
    new Problem('total-too-large', 'The total would be above 999999999999.'),
  ],
};

const TWO_ORDERS = [
  { idempotencyKey: '019bc0fd-8a39-7d4e-b6a2-0c9f4e1d7b35', items: [{ productId: '123', quantity: 2 }] },
  { idempotencyKey: '019bc0fd-8a39-7d4e-b6a2-0c9f4e1d7b36', items: [{ productId: '999', quantity: 1 }] },
];

/** One order that was placed, and one that was not. */
const RESULTS: Shown = {
  view: BatchView,
  example: {
    results: [
      { index: 0, status: 201, order: ORDER.example },
      {
        index: 1,
        status: 422,
        problem: problemDocument(new Problem('unknown-product', 'Not in the catalogue: 999.'), {
          instance: `/v1/operations/${EXAMPLE_ID.op}`,
          requestId: null,
          operationId: EXAMPLE_ID.op,
        }),
      },
    ],
  },
};

export const PLACE_ORDERS: ApiOptions = {
  id: 'placeOrders',
  summary: 'Place several orders',
  description:
    'Places up to 100 orders in one transaction. Each has an Idempotency-Key of its own, which is an ordinary one: sent later, alone to ' +
    '`POST /v1/orders` or in another batch, the order replays. The key in the header is the batch’s, and replays the whole answer. ' +
    'With `atomic: true` one failure undoes all: the others are 424 `batch-rolled-back`, and no order’s key is used. With `atomic: false` ' +
    'each stands alone, and a refusal is stored under its key. The answer is 200 either way; `status` of each result is what the order ' +
    'would have been answered alone. While the key of one of the orders is in other hands, the whole batch is 409 and does nothing.',
  effects: 'each order once, whatever it is sent in, and its stock reserved once',
  requests: {
    'Each stands alone': { atomic: false, orders: TWO_ORDERS },
    'All or none': { atomic: true, orders: TWO_ORDERS.slice(0, 1) },
  },
  answers: [ok(RESULTS, 'What each order came to.')],
  problems: [invalid([{ pointer: '/orders/0/items/0/quantity', detail: 'must not be greater than 1000' }])],
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
