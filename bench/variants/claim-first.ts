import 'reflect-metadata';
import { Body, Controller, Post, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Caller, NeedsScope, callerOf } from '../../src/accounts/access.guard.js';
import type { Caller as CallerType } from '../../src/accounts/authenticator.js';
import { CatalogModule } from '../../src/catalog/catalog.module.js';
import { BACKGROUND } from '../../src/database/data-source.js';
import { etagOf } from '../../src/http/etag.js';
import { renderFinal } from '../../src/http/problem.filter.js';
import { Idempotent, IdempotencyModule, Tx, reply, type Reply, type Transaction } from '../../src/idempotency/index.js';
import { CreateOrder, orderPath } from '../../src/orders/order.dto.js';
import { Order, OrderItem } from '../../src/orders/order.entity.js';
import { OrdersService } from '../../src/orders/orders.service.js';
import { serve } from './shell.js';

/** The service's own way to place an order, on a route that isn't optimistic: its claim is won before the handler runs. */
@Controller('v1/orders')
class ClaimFirstOrders {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  @NeedsScope('orders:write')
  @Idempotent()
  async place(@Tx() tx: Transaction, @Caller() { accountId }: CallerType, @Body() body: CreateOrder): Promise<Reply> {
    const order = await this.orders.place(tx, accountId, body);
    return reply(201, order, { location: orderPath(order), etag: etagOf(order.version) });
  }
}

class Orders {}

const orders: DynamicModule = {
  module: Orders,
  imports: [CatalogModule, TypeOrmModule.forFeature([Order, OrderItem])],
  providers: [OrdersService],
  exports: [OrdersService],
};

await serve(ClaimFirstOrders, [
  orders,
  IdempotencyModule.forRoot({
    join: false,
    accountOf: (request) => callerOf(request).accountId,
    traceOf: (request) => (request as { id: string }).id,
    render: renderFinal,
    backgroundDataSource: BACKGROUND,
  }),
]);
