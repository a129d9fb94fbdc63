import { Body, Controller, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { Caller, NeedsScope } from '../../src/accounts/access.guard.js';
import type { Caller as CallerType } from '../../src/accounts/authenticator.js';
import { CreateOrder, type OrderView } from '../../src/orders/order.dto.js';
import { findProducts, flight, headersOf, makeOrder, orRollBack } from './order-work.js';

/** Runs `work` on a connection of the pool; a failure rolls back. */
async function transaction(dataSource: DataSource, work: (client: PoolClient) => Promise<OrderView>): Promise<OrderView> {
  const runner = dataSource.createQueryRunner();
  try {
    return await orRollBack((await runner.connect()) as PoolClient, work);
  } finally {
    await runner.release();
  }
}

/** Without idempotency, written the usual way: each statement is awaited. */
export function placeOneByOne(dataSource: DataSource, accountId: string, body: CreateOrder): Promise<OrderView> {
  return transaction(dataSource, async (client) => {
    await client.query('BEGIN');
    const { view, writes } = makeOrder(accountId, body, (await client.query(findProducts(accountId, body))).rows);
    for (const write of writes) await client.query(write);
    await client.query('COMMIT');
    return view;
  });
}

/** Without idempotency, in two flights: what can leave together leaves together. */
export function placeInFlights(dataSource: DataSource, accountId: string, body: CreateOrder): Promise<OrderView> {
  return transaction(dataSource, async (client) => {
    const [, products] = await flight(client, ['BEGIN', findProducts(accountId, body)]);
    if (!products) throw new Error('no products');
    const { view, writes } = makeOrder(accountId, body, products.rows);
    await flight(client, [...writes, 'COMMIT']);
    return view;
  });
}

@Controller('v1/orders')
export class OneByOneOrders {
  constructor(private readonly dataSource: DataSource) {}

  @Post()
  @NeedsScope('orders:write')
  async place(@Caller() { accountId }: CallerType, @Body() body: CreateOrder, @Res({ passthrough: true }) reply: FastifyReply) {
    const view = await placeOneByOne(this.dataSource, accountId, body);
    void reply.headers(headersOf(view));
    return view;
  }
}

@Controller('v1/orders')
export class OrdersInFlights {
  constructor(private readonly dataSource: DataSource) {}

  @Post()
  @NeedsScope('orders:write')
  async place(@Caller() { accountId }: CallerType, @Body() body: CreateOrder, @Res({ passthrough: true }) reply: FastifyReply) {
    const view = await placeInFlights(this.dataSource, accountId, body);
    void reply.headers(headersOf(view));
    return view;
  }
}
