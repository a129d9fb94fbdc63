import 'reflect-metadata';
import { Body, Controller, Post, Res } from '@nestjs/common';
import { Idempotent, NodeIdempotencyModule, StorageAdapterEnum } from '@node-idempotency/nestjs';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { Caller, NeedsScope } from '../../src/accounts/access.guard.js';
import type { Caller as CallerType } from '../../src/accounts/authenticator.js';
import { CreateOrder } from '../../src/orders/order.dto.js';
import { headersOf } from './order-work.js';
import { placeOneByOne } from './plain-orders.js';
import { serve } from './shell.js';

/** The usual endpoint with the usual package around it: answers in Redis, beside the work. */
@Controller('v1/orders')
class PeerOrders {
  constructor(private readonly dataSource: DataSource) {}

  @Post()
  @NeedsScope('orders:write')
  @Idempotent({ enforceIdempotency: true, cacheTTLMS: 86_400_000 })
  async place(@Caller() { accountId }: CallerType, @Body() body: CreateOrder, @Res({ passthrough: true }) reply: FastifyReply) {
    const view = await placeOneByOne(this.dataSource, accountId, body);
    void reply.headers(headersOf(view));
    return view;
  }
}

await serve(PeerOrders, [
  NodeIdempotencyModule.forRootAsync({
    storage: { adapter: StorageAdapterEnum.redis, options: { url: process.env['REDIS_URL'] ?? '' } },
  }),
]);
