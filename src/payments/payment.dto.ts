import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { publicId } from '../ids.js';
import { ListQuery } from '../list.js';
import { PAYMENT_STATUSES, type Payment, type PaymentStatus, type Refund } from './payment.entity.js';

const MAX_AMOUNT = 999_999_999_999;

/** A payment of an order. */
export class CreatePayment {
  @MaxLength(255)
  @IsString()
  orderId: string;

  /** The order's total, in the currency's minor unit. */
  @Min(1)
  @Max(MAX_AMOUNT)
  @IsInt()
  amount: number;

  @Matches(/^[A-Z]{3}$/, { message: 'must be an ISO 4217 code' })
  currency: string;

  /** A token of the provider, `tok_visa` for example. Card numbers are refused: they must never reach this service. */
  @Matches(/^(?!.*(?:\d_*){12})[A-Za-z]{2,20}_[A-Za-z0-9_]{1,200}$/, { message: "must be a provider's token such as tok_visa, never a card number" })
  @IsString()
  source: string;
}

/** A refund of a payment. */
export class CreateRefund {
  /** In minor units; what is left of the payment, where it isn't given. */
  @IsOptional()
  @Min(1)
  @Max(MAX_AMOUNT)
  @IsInt()
  amount?: number;

  @IsOptional()
  @MaxLength(255)
  @IsString()
  reason?: string | null;
}

/** Query of the list of payments. */
export class ListPayments extends ListQuery {
  @IsOptional()
  @IsString()
  @MaxLength(255)
  orderId?: string;

  @IsOptional()
  @IsIn(PAYMENT_STATUSES)
  status?: PaymentStatus;
}

/** A payment as clients see it. */
export class PaymentView {
  id: string;
  orderId: string;
  /** `processing`: the provider's answer is not known yet. */
  status: PaymentStatus;
  amount: number;
  currency: string;
  /** Refunds that succeeded. */
  amountRefunded: number;
  failureCode: string | null;
  /** The provider's id of the charge. */
  providerReference: string | null;
  createdAt: Date;
  updatedAt: Date;

  static of(payment: Omit<Payment, 'accountId' | 'order' | 'source' | 'reference' | 'operationId' | 'amountReserved' | 'reviewReason'>): PaymentView {
    return {
      id: publicId('pay', payment.id),
      orderId: publicId('ord', payment.orderId),
      status: payment.status,
      amount: payment.amount,
      currency: payment.currency,
      amountRefunded: payment.amountRefunded,
      failureCode: payment.failureCode,
      providerReference: payment.providerReference,
      createdAt: payment.createdAt,
      updatedAt: payment.updatedAt,
    };
  }
}

/** A refund as clients see it. */
export class RefundView {
  id: string;
  paymentId: string;
  amount: number;
  currency: string;
  status: PaymentStatus;
  reason: string | null;
  failureCode: string | null;
  createdAt: Date;
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
      createdAt: refund.createdAt,
      updatedAt: refund.updatedAt,
    };
  }
}
