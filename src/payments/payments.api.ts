import { created, having, listOf, readOf, type Shown } from '../openapi/api.builders.js';
import type { ApiAnswer, ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { Problem, noSuch } from '../http/problem.js';
import { invalid } from '../http/validation.js';
import { RETRY_AFTER } from '../idempotency/index.js';
import { declinedTooOften } from './decline-brakes.js';
import { DEADLINE_PASSED } from './end-states.js';
import { deadlinePassed, inFlight, notReached } from './payment-replies.js';
import { PaymentView, RefundView, source } from './payment.dto.js';

const PAYMENT: Shown = {
  view: PaymentView,
  etag: false,
  example: {
    id: EXAMPLE_ID.pay,
    orderId: EXAMPLE_ID.ord,
    status: 'succeeded',
    amount: 5000,
    currency: 'EUR',
    amountRefunded: 0,
    failureCode: null,
    providerReference: 'ch_5f2c9a',
    version: 2,
    createdAt: EXAMPLE_TIME,
    updatedAt: EXAMPLE_TIME,
  },
};
const DECLINED = having(PAYMENT, { status: 'failed', failureCode: 'insufficient_funds', providerReference: null });

const REFUND: Shown = {
  view: RefundView,
  etag: false,
  example: {
    id: EXAMPLE_ID.re,
    paymentId: EXAMPLE_ID.pay,
    amount: 1000,
    currency: 'EUR',
    status: 'succeeded',
    reason: 'sent back',
    failureCode: null,
    version: 2,
    createdAt: EXAMPLE_TIME,
    updatedAt: EXAMPLE_TIME,
  },
};

const DECLINED_REFUND = having(REFUND, { status: 'failed', failureCode: 'insufficient_funds' });

const paymentParams = { id: idOf('pay', 'Id of the payment.') };

/** What is answered while the provider's answer is not known. */
export function notYet({ view, example }: Shown): ApiAnswer {
  return {
    status: 202,
    description: 'The provider’s answer is not known yet. This is not final: the same key later answers the result.',
    view,
    example,
    headers: { Location: `/v1/operations/${EXAMPLE_ID.op}`, 'Retry-After': String(RETRY_AFTER) },
  };
}

const LATE = having(PAYMENT, { status: 'failed', failureCode: DEADLINE_PASSED, amountRefunded: 5000 });

export const CREATE_PAYMENT: ApiOptions = {
  id: 'createPayment',
  summary: 'Pay an order',
  description:
    'Charges the order at the provider, once, whatever fails on the way: a crash, a timeout or a lost answer ends in the one charge or ' +
    'in none, and the key tells which. While that is not known the answer is 202. After its `Request-Deadline` no charge is sent for the ' +
    'first time, and one that is known only then is refunded: the order can be paid under a new key.\n\n' +
    'The same request under another key within two minutes is 409 `possible-duplicate`, unless the first one was declined or given back, ' +
    'or `Prefer: handling=lenient` says that it is meant.',
  effects: 'one charge at the provider, one payment, the order paid once',
  requests: { 'Pay by card': { orderId: EXAMPLE_ID.ord, amount: 5000, currency: 'EUR', source: 'tok_visa' } },
  answers: [
    created(PAYMENT, 'The order is paid.', `/v1/payments/${EXAMPLE_ID.pay}`),
    notYet(having(PAYMENT, { status: 'processing', providerReference: null, version: 1 })),
  ],
  problems: [
    invalid([{ pointer: '/source', detail: source.refusal }]),
    new Problem('payment-declined', 'The provider declined: insufficient_funds.', { members: { payment: DECLINED.example } }),
    noSuch('order'),
    new Problem('order-not-payable', 'The order is paid.'),
    inFlight(),
    deadlinePassed(LATE.example, 'the charge was known after that, and was refunded'),
    declinedTooOften('order', 1_800),
    new Problem('amount-mismatch', "The order's total is 5000 EUR."),
    notReached('charged'),
  ],
};

export const LIST_PAYMENTS = listOf(PAYMENT, { id: 'listPayments', things: 'payments' });

export const GET_PAYMENT = readOf(PAYMENT, {
  id: 'getPayment',
  thing: 'payment',
  description: 'The payment as it stands.',
  params: paymentParams,
  problems: [noSuch('payment')],
});

export const CREATE_REFUND: ApiOptions = {
  id: 'createRefund',
  summary: 'Refund a payment',
  description:
    'Gives money back, once. All refunds of a payment together, reserved ones too, never exceed it, however many ask at once. ' +
    'One that the provider declines gives its part of the payment back.',
  effects: 'one refund at the provider',
  params: paymentParams,
  requests: { 'A part of it': { amount: 1000, reason: 'sent back' }, 'All that is left': {} },
  answers: [
    created(REFUND, 'The money goes back.', `/v1/refunds/${EXAMPLE_ID.re}`),
    notYet(having(REFUND, { status: 'processing', version: 1 })),
  ],
  problems: [
    new Problem('refund-declined', 'The provider declined to refund: insufficient_funds.', {
      members: { refund: DECLINED_REFUND.example },
    }),
    noSuch('payment'),
    new Problem('refund-exceeds-payment', '500 of 5000 EUR can still be refunded.'),
    notReached('refunded'),
  ],
};

export const GET_REFUND = readOf(REFUND, {
  id: 'getRefund',
  thing: 'refund',
  description: 'The refund as it stands.',
  params: { id: idOf('re', 'Id of the refund.') },
  problems: [noSuch('refund')],
});
