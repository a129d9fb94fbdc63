import 'reflect-metadata';
import { Body, Controller, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { NeedsScope } from '../../src/accounts/access.guard.js';
import { CreateOrder, OrderView } from '../../src/orders/order.dto.js';
import { productId } from '../requests.js';
import { headersOf } from './order-work.js';
import { serve } from './shell.js';

const line = { name: 'Bench product', quantity: 1, unitPrice: 1_000 };

const ORDER = OrderView.of({
  id: '018bcfe5-6800-7000-8000-00000000000a',
  status: 'pending',
  items: [
    { productId: productId(0), ...line },
    { productId: productId(1), ...line },
  ],
  currency: 'EUR',
  total: 2_000,
  customerReference: null,
  metadata: {},
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
});

/** The cheapest that an endpoint of this shape can be: the body is checked, and the answer is always the same. */
@Controller('v1/orders')
class StaticOrders {
  @Post()
  @NeedsScope('orders:write')
  place(@Body() _body: CreateOrder, @Res({ passthrough: true }) reply: FastifyReply): OrderView {
    void reply.headers(headersOf(ORDER));
    return ORDER;
  }
}

await serve(StaticOrders);
