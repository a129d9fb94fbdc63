import { having, ok } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { idOf } from '../openapi/fields.js';
import { ORDER } from '../orders/orders.api.js';
import { Problem, noSuch } from '../http/problem.js';
import { inFlight } from './payment-replies.js';
import { notYet } from './payments.api.js';

const CANCELLED = having(ORDER, { status: 'cancelled', version: 2 });

export const CANCEL_ORDER: ApiOptions = {
  id: 'cancelOrder',
  summary: 'Cancel an order',
  description:
    'Cancels an order, gives its stock back in the same transaction, and refunds what was paid for it. Where money goes back, the ' +
    'API key needs the scope `payments:write` too: otherwise the answer is 403, nothing is written and the key stays unused. The ' +
    'answer of a cancellation that refunded is replayed to API keys with that scope alone.',
  effects: 'one cancellation, the stock released once, each captured payment refunded once',
  params: { id: idOf('ord', 'Id of the order.') },
  requests: { 'Nothing more to say': {} },
  answers: [ok(CANCELLED, 'The order is cancelled.'), notYet(CANCELLED)],
  problems: [noSuch('order'), new Problem('order-not-cancellable', 'The order is cancelled already.'), inFlight()],
};
