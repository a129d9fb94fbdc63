import 'reflect-metadata';
import { Body, Controller, Post } from '@nestjs/common';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { Caller, NeedsScope, callerOf } from '../../src/accounts/access.guard.js';
import type { Caller as CallerType } from '../../src/accounts/authenticator.js';
import { BACKGROUND } from '../../src/database/data-source.js';
import { renderFinal } from '../../src/http/problem.filter.js';
import { Idempotent, IdempotencyModule, Tx, reply, type Reply, type Transaction } from '../../src/idempotency/index.js';
import { CreateOrder } from '../../src/orders/order.dto.js';
import { Order } from '../../src/orders/order.entity.js';
import { findProducts, headersOf, makeOrder } from './order-work.js';
import { serve } from './shell.js';

/** The same statements, one after the other, through the transaction's manager or through a repository that joins it. */
@Controller('v1/orders')
class JoinedOrders {
  constructor(@InjectRepository(Order) private readonly orders: Repository<Order>) {}

  @Post('tx')
  @NeedsScope('orders:write')
  @Idempotent()
  async throughTx(@Tx() tx: Transaction, @Caller() { accountId }: CallerType, @Body() body: CreateOrder): Promise<Reply> {
    return place(await tx.manager(), accountId, body);
  }

  @Post('repository')
  @NeedsScope('orders:write')
  @Idempotent()
  throughRepository(@Caller() { accountId }: CallerType, @Body() body: CreateOrder): Promise<Reply> {
    return place(this.orders, accountId, body);
  }
}

async function place(database: Pick<EntityManager, 'query'>, accountId: string, body: CreateOrder): Promise<Reply> {
  const find = findProducts(accountId, body);
  const products: unknown[] = await database.query(find.text, find.values);
  const { view, writes } = makeOrder(accountId, body, products);
  for (const { text, values } of writes) await database.query(text, values);
  return reply(201, view, headersOf(view));
}

await serve(JoinedOrders, [
  TypeOrmModule.forFeature([Order]),
  IdempotencyModule.forRoot({
    join: process.env['JOIN'] === 'true',
    // By itself each of these follows flows too, on some versions of Node.
    guardConnections: false,
    outsideCalls: 'ignore',
    accountOf: (request) => callerOf(request).accountId,
    render: renderFinal,
    backgroundDataSource: BACKGROUND,
  }),
]);
