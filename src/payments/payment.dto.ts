import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { MAX_AMOUNT } from '../kernel/money.js';
import { amount, createdAt, currency, idOf, updatedAt } from '../openapi/fields.js';
import { PAYMENT_STATUSES, type Payment, type PaymentStatus, type Refund } from './payment.entity.js';

const status = { type: 'string', enum: PAYMENT_STATUSES, description: '`processing`: the provider’s answer is not known yet.' } as const;
const failureCode = {
  type: 'string',
  nullable: true,
  description: 'Why it failed, in the provider’s words.',
  example: 'insufficient_funds',
} as const;
const reason = {
  type: 'string',
  maxLength: 255,
  nullable: true,
  description: 'Why, in the client’s own words.',
  example: 'sent back',
} as const;

@ApiSchema({ description: 'A payment of an order.' })
export class CreatePayment {
  @ApiProperty(idOf('ord', 'The order to pay.'))
  @MaxLength(255)
  @IsString()
  orderId: string;

  @ApiProperty(amount('The order’s total, in the minor unit.', 5000))
  @Min(1)
  @Max(MAX_AMOUNT)
  @IsInt()
  amount: number;

  @ApiProperty(currency)
  @Matches(/^[A-Z]{3}$/, { message: 'must be an ISO 4217 code' })
  currency: string;

  @ApiProperty({
    type: 'string',
    pattern: String.raw`^(?!.*\d{12})[A-Za-z]{2,20}_[A-Za-z0-9_]{1,200}$`,
    description: 'A token of the provider. Card numbers are refused: they must never reach this service.',
    example: 'tok_visa',
  })
  // Its form comes first: what is longer than a token is not searched for digits.
  @Matches(/^(?=[A-Za-z]{2,20}_[A-Za-z0-9_]{1,200}$)(?!.*(?:\d_*){12})/, {
    message: "must be a provider's token such as tok_visa, never a card number",
  })
  @IsString()
  source: string;
}

@ApiSchema({ description: 'A refund of a payment.' })
export class CreateRefund {
  @ApiPropertyOptional({ ...amount('In the minor unit; what is left of the payment, where it isn’t given.', 1000), nullable: true })
  @IsOptional()
  @Min(1)
  @Max(MAX_AMOUNT)
  @IsInt()
  amount?: number;

  @ApiPropertyOptional(reason)
  @IsOptional()
  @MaxLength(255)
  @IsString()
  reason?: string | null;
}

/** Query of the list of payments. */
export class ListPayments extends ListQuery {
  @ApiPropertyOptional({ type: 'string', maxLength: 255, description: 'Only payments of this order.' })
  @IsOptional()
  @IsString()
  @MaxLength(255)
  orderId?: string;

  @ApiPropertyOptional({ ...status, description: 'Only payments with this status.' })
  @IsOptional()
  @IsIn(PAYMENT_STATUSES)
  status?: PaymentStatus;
}

@ApiSchema({ name: 'Payment', description: 'A payment of an order.' })
export class PaymentView {
  @ApiProperty(idOf('pay', 'Id of the payment.'))
  id: string;

  @ApiProperty(idOf('ord', 'The order that it pays.'))
  orderId: string;

  @ApiProperty(status)
  status: PaymentStatus;

  @ApiProperty(amount('In the minor unit.', 5000))
  amount: number;

  @ApiProperty(currency)
  currency: string;

  @ApiProperty({ ...amount('Sum of the refunds that succeeded, in the minor unit.', 0), minimum: 0 })
  amountRefunded: number;

  @ApiProperty(failureCode)
  failureCode: string | null;

  @ApiProperty({ type: 'string', nullable: true, description: 'The provider’s id of the charge.', example: 'ch_5f2c9a' })
  providerReference: string | null;

  @ApiProperty(createdAt)
  createdAt: Date;

  @ApiProperty(updatedAt)
  updatedAt: Date;

  static of(
    payment: Omit<Payment, 'accountId' | 'order' | 'source' | 'reference' | 'operationId' | 'amountReserved' | 'reviewReason'>,
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
      createdAt: payment.createdAt,
      updatedAt: payment.updatedAt,
    };
  }
}

@ApiSchema({ name: 'Refund', description: 'A refund of a payment.' })
export class RefundView {
  @ApiProperty(idOf('re', 'Id of the refund.'))
  id: string;

  @ApiProperty(idOf('pay', 'The payment that it gives back.'))
  paymentId: string;

  @ApiProperty(amount('In the minor unit.', 1000))
  amount: number;

  @ApiProperty(currency)
  currency: string;

  @ApiProperty(status)
  status: PaymentStatus;

  @ApiProperty(reason)
  reason: string | null;

  @ApiProperty(failureCode)
  failureCode: string | null;

  @ApiProperty(createdAt)
  createdAt: Date;

  @ApiProperty(updatedAt)
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
