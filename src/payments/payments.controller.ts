import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { Idempotent, Tx, next, reply, type StepEnd, type Transaction } from '../idempotency/index.js';
import type { Page } from '../http/page.js';
import { RequestDeadline, deadlineIn, type Deadline } from '../http/request-deadline.js';
import { Api } from '../openapi/api.decorator.js';
import { ChargeStep } from './charge.step.js';
import { PAYMENTS_PATH, REFUNDS_OF_PAYMENT_PATH, REFUNDS_PATH, paymentPath, pending, refundPath } from './payment-replies.js';
import { CreatePayment, CreateRefund, ListPayments, PaymentView, RefundView } from './payment.dto.js';
import { CREATE_PAYMENT, CREATE_REFUND, GET_PAYMENT, GET_REFUND, LIST_PAYMENTS } from './payments.api.js';
import { PaymentsService } from './payments.service.js';
import { RefundStep } from './refund.step.js';
import { RefundsService } from './refunds.service.js';

@Controller()
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly refunds: RefundsService,
  ) {}

  @Post(PAYMENTS_PATH)
  @NeedsScope('payments:write')
  @Idempotent({ optimistic: true, duplicateWindowMs: 120_000 })
  @Api(CREATE_PAYMENT)
  async create(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @RequestDeadline('request-deadline') deadline: Deadline | null,
    @Body() body: CreatePayment,
  ): Promise<StepEnd> {
    const payment = await this.payments.open(tx, accountId, { ...body, deadline: await deadlineIn(tx, deadline) });
    if (payment.status === 'succeeded') return reply(201, PaymentView.of(payment), { location: paymentPath(payment) });
    return next(ChargeStep, payment.id, pending(tx, PaymentView.of(payment), paymentPath(payment)));
  }

  @Get(PAYMENTS_PATH)
  @NeedsScope('payments:read')
  @Api(LIST_PAYMENTS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListPayments): Promise<Page<PaymentView>> {
    return this.payments.list(accountId, query);
  }

  @Get(`${PAYMENTS_PATH}/:id`)
  @NeedsScope('payments:read')
  @Api(GET_PAYMENT)
  get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<PaymentView> {
    return this.payments.get(accountId, id);
  }

  @Post(REFUNDS_OF_PAYMENT_PATH)
  @HttpCode(201)
  @NeedsScope('payments:write')
  @Idempotent({ optimistic: true })
  @Api(CREATE_REFUND)
  async refund(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() body: CreateRefund,
  ): Promise<StepEnd> {
    const refund = await this.refunds.open(tx, accountId, id, body);
    return next(RefundStep, refund.id, pending(tx, RefundView.of(refund), refundPath(refund)));
  }

  @Get(`${REFUNDS_PATH}/:id`)
  @NeedsScope('payments:read')
  @Api(GET_REFUND)
  getRefund(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<RefundView> {
    return this.refunds.get(accountId, id);
  }
}
