import { Body, Controller, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { etagOf, requireIfMatch, sendVersion } from '../http/etag.js';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../idempotency/index.js';
import type { Page } from '../http/page.js';
import { RequestId } from '../http/request-id.js';
import { RequestDeadline, deadlineIn, type Deadline } from '../http/request-deadline.js';
import { Api } from '../openapi/api.decorator.js';
import { CreateBatch, type BatchView } from './batch.dto.js';
import { BatchesService } from './batches.service.js';
import { CreateOrder, ListOrders, ORDERS_PATH, UpdateOrder, orderPath, placed, type OrderView } from './order.dto.js';
import { CHANGE_ORDER, GET_ORDER, LIST_ORDERS, PLACE_ORDER, PLACE_ORDERS } from './orders.api.js';
import { OrdersService } from './orders.service.js';

@Controller(ORDERS_PATH)
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly batches: BatchesService,
  ) {}

  @Post()
  @NeedsScope('orders:write')
  @Idempotent({ optimistic: true })
  @Api(PLACE_ORDER)
  async place(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @RequestDeadline('request-deadline') deadline: Deadline | null,
    @Body() body: CreateOrder,
  ): Promise<Reply> {
    // Without one nobody waits here: that would cost every order a packet.
    if (deadline) await deadlineIn(tx, deadline);
    return placed(await this.orders.place(tx, accountId, body));
  }

  @Post('batch')
  @HttpCode(200)
  @NeedsScope('orders:write')
  @Idempotent()
  @Api(PLACE_ORDERS)
  placeAll(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @RequestId() requestId: string,
    @Body() body: CreateBatch,
  ): Promise<BatchView> {
    return this.batches.place(tx, accountId, body, requestId);
  }

  @Get()
  @NeedsScope('orders:read')
  @Api(LIST_ORDERS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListOrders): Promise<Page<OrderView>> {
    return this.orders.list(accountId, query);
  }

  @Get(':id')
  @NeedsScope('orders:read')
  @Api(GET_ORDER)
  async get(
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) response: FastifyReply,
  ): Promise<OrderView | undefined> {
    return sendVersion(response, await this.orders.get(accountId, id), ifNoneMatch);
  }

  @Patch(':id')
  @NeedsScope('orders:write')
  @Idempotent({ optimistic: true })
  @Api(CHANGE_ORDER)
  async change(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: UpdateOrder,
  ): Promise<Reply> {
    const order = await this.orders.change(tx, accountId, id, requireIfMatch(ifMatch), body);
    return reply(200, order, { etag: etagOf(order.version), resource: orderPath(order) });
  }
}
