import type { HoldfastClient } from '../../client/src/index.js';

/** What the compiler knows of routes: checked with the types of all tests, and never called. */
export async function typesOfRoutes(client: HoldfastClient): Promise<void> {
  const placed = await client.orders.place({ items: [{ productId: '123', quantity: 1 }] });
  if (placed.kind === 'done') placed.body.total satisfies number;
  if (placed.kind === 'refused' && placed.problem.code === 'insufficient-stock') placed.newKeyMakesSense satisfies boolean;
  // @ts-expect-error This route never tells that.
  if (placed.kind === 'refused' && placed.problem.code === 'refund-declined') return;
  // @ts-expect-error An order has items.
  await client.orders.place({});
  // @ts-expect-error A payment has an amount.
  await client.payments.place({ orderId: 'ord_', currency: 'EUR', source: 'tok_visa' });
  // What may be left out may be left out, also what has a default.
  await client.orders.cancel('ord_').place();
  await client.payments.refund('pay_').place({ amount: 1 });
  // @ts-expect-error There is no such status.
  client.orders.list({ status: 'lost' });
  // @ts-expect-error An order has no amount.
  for await (const { amount } of client.orders.list()) amount satisfies number;
  for await (const { total } of client.orders.list()) total satisfies number;
}
