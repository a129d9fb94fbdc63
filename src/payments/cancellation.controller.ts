import { Body, Controller, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { etagOf } from '../http/etag.js';
import { Idempotent, Tx, next, reply, type StepEnd, type Transaction } from '../idempotency/index.js';
import { Api } from '../openapi/api.decorator.js';
import { ORDERS_PATH, orderPath } from '../orders/order.dto.js';
import { CANCEL_ORDER } from './cancellation.api.js';
import { CancelOrder } from './cancellation.dto.js';
import { CancelRefundStep } from './cancel-refund.step.js';
import { CancellationService } from './cancellation.service.js';
import { pending } from './payment-replies.js';
import { RefundScopeGuard, requireRefundScope } from './refund-scope.guard.js';

/** Cancelling an order; here and not with the orders, since it gives money back. */
@Controller(ORDERS_PATH)
@ApiTags('Orders')
export class CancellationController {
  constructor(private readonly cancellation: CancellationService) {}

  @Post(':id/cancel')
  @HttpCode(200)
  @NeedsScope('orders:write')
  @UseGuards(RefundScopeGuard)
  @Idempotent({ optimistic: true })
  @Api(CANCEL_ORDER)
  async cancel(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() _body: CancelOrder,
    @Req() request: FastifyRequest,
  ): Promise<StepEnd> {
    const { order, firstRefund } = await this.cancellation.cancel(tx, accountId, id, () => requireRefundScope(request));
    if (firstRefund) return next(CancelRefundStep, firstRefund.id, pending(tx, order, orderPath(order)));
    return reply(200, order, { etag: etagOf(order.version), resource: orderPath(order) });
  }
}
