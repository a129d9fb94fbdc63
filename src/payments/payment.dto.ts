import { ApiSchema } from '@nestjs/swagger';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { AnswerField, RequestField, type IntegerField, type TextField } from '../openapi/field.decorator.js';
import { MAX_TEXT, amount, createdAt, currency, idOf, nameOf, updatedAt, version as counted } from '../openapi/fields.js';
import { PAYMENT_STATUSES, type Payment, type PaymentStatus, type Refund } from './payment.entity.js';

const status: TextField = { type: 'string', enum: PAYMENT_STATUSES, description: '`processing`: the provider’s answer is not known yet.' };
const failureCode: TextField = {
  type: 'string',
  nullable: true,
  description:
    'Why it failed, in the provider’s words; `decided_not_charged` where a person decided it, `deadline_passed` where its deadline came first, `refunded_after_restore` where a restored database had lost it.',
  example: 'insufficient_funds',
};
const reason: TextField = {
  type: 'string',
  maxLength: MAX_TEXT,
  nullable: true,
  description: 'Why, in the client’s own words.',
  example: 'sent back',
};

/** Nothing is changed on condition of it, so it is no ETag. */
const version = { ...counted, description: 'Grows with every change; events name it.' } satisfies IntegerField;

export const source = {
  type: 'string',
  // No twelve digits in a row, underscores between them or not: the shortest card numbers have as many. The form comes first: what is
  // longer than a token is not searched for digits.
  pattern: String.raw`^(?=[A-Za-z]{2,20}_[A-Za-z0-9_]{1,200}$)(?!.*(?:\d_*){12})[A-Za-z0-9_]+$`,
  refusal: "must be a provider's token such as tok_visa, never a card number",
  description: 'A token of the provider. Card numbers are refused: they must never reach this service.',
  example: 'tok_visa',
} satisfies TextField;

@ApiSchema({ description: 'A payment of an order.' })
export class CreatePayment {
  @RequestField(nameOf('ord', 'The order to pay.'))
  orderId: string;

  @RequestField(amount('The order’s total, in the minor unit.', 5000))
  amount: number;

  @RequestField(currency)
  currency: string;

  @RequestField(source)
  source: string;
}

@ApiSchema({ description: 'A refund of a payment.' })
export class CreateRefund {
  @RequestField({
    ...amount('In the minor unit; what is left of the payment, where it isn’t given.', 1000),
    required: false,
    nullable: true,
  })
  amount?: number | null;

  @RequestField({ ...reason, required: false })
  reason?: string | null;
}

/** Query of the list of payments. */
export class ListPayments extends ListQuery {
  @RequestField({ type: 'string', maxLength: MAX_TEXT, required: false, description: 'Only payments of this order.' })
  orderId?: string;

  @RequestField({ ...status, required: false, description: 'Only payments with this status.' })
  status?: PaymentStatus;
}

@ApiSchema({ name: 'Payment', description: 'A payment of an order.' })
export class PaymentView {
  @AnswerField(idOf('pay', 'Id of the payment.'))
  id: string;

  @AnswerField(idOf('ord', 'The order that it pays.'))
  orderId: string;

  @AnswerField(status)
  status: PaymentStatus;

  @AnswerField(amount('In the minor unit.', 5000))
  amount: number;

  @AnswerField(currency)
  currency: string;

  @AnswerField({ ...amount('Sum of the refunds that succeeded, in the minor unit.', 0), minimum: 0 })
  amountRefunded: number;

  @AnswerField(failureCode)
  failureCode: string | null;

  @AnswerField({ type: 'string', nullable: true, description: 'The provider’s id of the charge.', example: 'ch_5f2c9a' })
  providerReference: string | null;

  @AnswerField(version)
  version: number;

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField(updatedAt)
  updatedAt: Date;

  static of(
    payment: Omit<Payment, 'accountId' | 'order' | 'source' | 'reference' | 'operationId' | 'amountReserved' | 'reviewReason' | 'checkAt'>,
  ): PaymentView {
    return {
      id: publicId('pay', payment.id),
      orderId: publicId('ord', payment.orderId),
      status: payment.status,
      amount: payment.amount,
      currency: payment.currency,
      amountRefunded: payment.amountRefunded,
      failureCode: payment.failureCode,
      providerReference: payment.providerReference,
      version: payment.version,
      createdAt: payment.createdAt,
      updatedAt: payment.updatedAt,
    };
  }
}

@ApiSchema({ name: 'Refund', description: 'A refund of a payment.' })
export class RefundView {
  @AnswerField(idOf('re', 'Id of the refund.'))
  id: string;

  @AnswerField(idOf('pay', 'The payment that it gives back.'))
  paymentId: string;

  @AnswerField(amount('In the minor unit.', 1000))
  amount: number;

  @AnswerField(currency)
  currency: string;

  @AnswerField(status)
  status: PaymentStatus;

  @AnswerField(reason)
  reason: string | null;

  @AnswerField(failureCode)
  failureCode: string | null;

  @AnswerField(version)
  version: number;

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField(updatedAt)
  updatedAt: Date;

  static of(refund: Refund): RefundView {
    return {
      id: publicId('re', refund.id),
      paymentId: publicId('pay', refund.paymentId),
      amount: refund.amount,
      currency: refund.currency,
      status: refund.status,
      reason: refund.reason,
      failureCode: refund.failureCode,
      version: refund.version,
      createdAt: refund.createdAt,
      updatedAt: refund.updatedAt,
    };
  }
}
