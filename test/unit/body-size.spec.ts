import 'reflect-metadata';
import { largestBody } from '../../src/http/body-size.js';
import { OrdersController } from '../../src/orders/orders.controller.js';
import { OperationsController } from '../../src/operations/operations.controller.js';
import { TicketsController } from '../../src/tickets/tickets.controller.js';

describe('the largest legal body', () => {
  it('of an order: itself, its five members, 100 items of three values, 50 texts of metadata', () => {
    expect(largestBody(OrdersController, 'place')).toBe(1 + 5 + 100 * 3 + 50);
  });

  it('of a batch: a hundred orders with their keys, and no more lines than they may have together', () => {
    const order = 1 + 6 + 50;
    expect(largestBody(OrdersController, 'placeAll')).toBe(1 + 2 + 100 * order + 500 * 3);
  });

  it('of a small one leaves room for a mistake that is named', () => {
    expect(largestBody(OrdersController, 'change')).toBe(100);
    expect(largestBody(TicketsController, 'open')).toBe(100);
  });

  it('that no class describes is bounded all the same', () => {
    expect(largestBody(OperationsController, 'resume')).toBe(10_000);
  });
});
