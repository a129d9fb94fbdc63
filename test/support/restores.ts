import { v7 as uuidv7 } from 'uuid';
import { operationUuid } from '../../src/idempotency/index.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { run, type Ended } from './built-process.js';
import { WAIT, type PaymentWorld, type PlacedOrder } from './payments.js';

/**
 * Pays an order and takes everything away again but the charge, as a failover does that lost the commits; returns the payment's key.
 * A replica that is gone by then has made it: the others remember nothing. Payments are closed from then on.
 */
export async function loseTo(world: PaymentWorld, order: PlacedOrder, { withOrder = false } = {}): Promise<string> {
  const key = uuidv7();
  const gone = await world.secondApp();
  const paid = await world.pay(order, 'tok_visa', { key, headers: WAIT, on: gone });
  await gone.close();
  const operation = operationUuid(String(paid.headers.get('operation-id')));
  const id = uuidOf('ord', order.id);
  for (const table of ['payments', 'idempotency_timeline', 'idempotency_records', 'events']) {
    await world.database.query(`DELETE FROM ${table} WHERE operation_id = $1`, [operation]);
  }
  await world.database.query(`UPDATE orders SET status = 'pending', version = 1, updated_at = created_at WHERE id = $1`, [id]);
  if (withOrder) {
    await world.database.query('DELETE FROM order_items WHERE order_id = $1', [id]);
    await world.database.query(`DELETE FROM idempotency_records WHERE resource LIKE '%' || $1`, [order.id]);
    await world.database.query('DELETE FROM events WHERE resource_id = $1', [order.id]);
    await world.database.query('DELETE FROM orders WHERE id = $1', [id]);
    await world.database.query('UPDATE products SET stock = stock + 1 WHERE id = $1', [order.productId]);
  }
  await promote(world);
  return key;
}

/** As if the server that the gate was opened for were another one by now. */
export async function promote(world: PaymentWorld): Promise<void> {
  await world.database.query('UPDATE payments_gate SET timeline = timeline - 1');
}

/** `npm run reconcile`, in a process of its own. */
export function reconcile(world: PaymentWorld, ...args: string[]): Promise<Ended> {
  return run('src/payments/restore/reconcile.cli.js', args, { ...world.database.env, ...world.env });
}

/** Decides about everything that is lost, and opens the gate. */
export async function reconciled(world: PaymentWorld, decision: 'adopt' | 'refund'): Promise<void> {
  for (const args of [[decision, '--all'], ['open']]) {
    expect(await reconcile(world, ...args, '--note', 'after the restore')).toMatchObject({ code: 0 });
  }
}
