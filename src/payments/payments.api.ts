import type { ApiAnswer, ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { Problem } from '../http/problem.js';
import { invalid } from '../http/validation.js';
import { PaymentView, RefundView } from './payment.dto.js';

const PAYMENT = {
  id: EXAMPLE_ID.pay,
  orderId: EXAMPLE_ID.ord,
  status: 'succeeded',
  amount: 5000,
  currency: 'EUR',
  amountRefunded: 0,
  failureCode: null,
  providerReference: 'ch_5f2c9a',
  createdAt: EXAMPLE_TIME,
  updatedAt: EXAMPLE_TIME,
};
const DECLINED = { ...PAYMENT, status: 'failed', failureCode: 'insufficient_funds', providerReference: null };

const REFUND = {
  id: EXAMPLE_ID.re,
  paymentId: EXAMPLE_ID.pay,
  amount: 1000,
  currency: 'EUR',
  status: 'succeeded',
  reason: 'sent back',
  failureCode: null,
  createdAt: EXAMPLE_TIME,
  updatedAt: EXAMPLE_TIME,
};

const paymentParams = { id: idOf('pay', 'Id of the payment.') };
const noSuchPayment = new Problem('not-found', 'This account has no such payment.');

/** What is answered while the provider's answer is not known. */
export function notYet(view: ApiAnswer['view'], example: unknown): ApiAnswer {
  return {
    status: 202,
    description: 'The provider’s answer is not known yet. This is not final: the same key later answers the result.',
    ...(view && { view }),
    example,
    headers: { Location: `/v1/operations/${EXAMPLE_ID.op}`, 'Retry-After': '1' },
  };
}

export const CREATE_PAYMENT: ApiOptions = {
  id: 'createPayment',
  summary: 'Pay an order',
  description:
    'Charges the order at the provider, once, whatever fails on the way: a crash, a timeout or a lost answer ends in the one charge or ' +
    'in none, and the key tells which. While that is not known the answer is 202.',
  effects: 'one charge at the provider, one payment, the order paid once',
  requests: { 'Pay by card': { orderId: EXAMPLE_ID.ord, amount: 5000, currency: 'EUR', source: 'tok_visa' } },
  answers: [
    {
      status: 201,
      description: 'The order is paid.',
      view: PaymentView,
      example: PAYMENT,
      headers: { Location: `/v1/payments/${EXAMPLE_ID.pay}` },
    },
    notYet(PaymentView, { ...PAYMENT, status: 'processing', providerReference: null }),
  ],
  problems: [
    invalid([{ pointer: '/source', detail: "must be a provider's token such as tok_visa, never a card number" }]),
    new Problem('payment-declined', 'The provider declined: insufficient_funds.', { members: { payment: DECLINED } }),
    new Problem('not-found', 'This account has no such order.'),
    new Problem('order-not-payable', 'The order is paid.'),
    new Problem('payment-in-progress', 'Another payment of this order is under way.'),
    new Problem('amount-mismatch', "The order's total is 5000 EUR."),
    new Problem('provider-unavailable', 'The payment provider was not reached. Nothing was charged.'),
  ],
};

export const LIST_PAYMENTS: ApiOptions = {
  id: 'listPayments',
  summary: 'List payments',
  description: 'The account’s payments, newest first.',
  answers: [{ status: 200, description: 'A page of payments.', view: PaymentView, list: true, example: PAYMENT }],
};

export const GET_PAYMENT: ApiOptions = {
  id: 'getPayment',
  summary: 'Read a payment',
  description: 'The payment as it stands.',
  params: paymentParams,
  answers: [{ status: 200, description: 'The payment.', view: PaymentView, example: PAYMENT }],
  problems: [noSuchPayment],
};

export const CREATE_REFUND: ApiOptions = {
  id: 'createRefund',
  summary: 'Refund a payment',
  description: 'Gives money back, once. All refunds of a payment together, reserved ones too, never exceed it, however many ask at once.',
  effects: 'one refund at the provider',
  params: paymentParams,
  requests: { 'A part of it': { amount: 1000, reason: 'sent back' }, 'All that is left': {} },
  answers: [
    {
      status: 201,
      description: 'The money goes back.',
      view: RefundView,
      example: REFUND,
      headers: { Location: `/v1/refunds/${EXAMPLE_ID.re}` },
    },
    notYet(RefundView, { ...REFUND, status: 'processing' }),
  ],
  problems: [
    noSuchPayment,
    new Problem('refund-exceeds-payment', '500 of 5000 EUR can still be refunded.'),
    new Problem('provider-unavailable', 'The payment provider was not reached. Nothing was refunded.'),
  ],
};

export const GET_REFUND: ApiOptions = {
  id: 'getRefund',
  summary: 'Read a refund',
  description: 'The refund as it stands.',
  params: { id: idOf('re', 'Id of the refund.') },
  answers: [{ status: 200, description: 'The refund.', view: RefundView, example: REFUND }],
  problems: [new Problem('not-found', 'This account has no such refund.')],
};
