import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { databaseOptions } from '../../src/database/data-source.js';
import { ENTITIES } from '../../src/entities.js';
import { operationUuid } from '../../src/idempotency/index.js';
import { parseConfig } from '../../src/kernel/config.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { adapterOf } from '../../src/payments/provider/adapter.js';
import { ledgerSince } from '../../src/payments/provider/ledger.js';
import { Reconciliation } from '../../src/payments/restore/reconciliation.js';
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

/** The same in this process. */
export async function withReconciliation<T>(world: PaymentWorld, work: (reconciliation: Reconciliation) => Promise<T>): Promise<T> {
  const config = parseConfig({ ...world.database.env, ...world.env });
  const dataSource = await new DataSource(databaseOptions(config.databaseOwnerUrl, 1, ENTITIES)).initialize();
  try {
    const ledger = await ledgerSince(config, new Date(0));
    return await work(new Reconciliation(dataSource, await adapterOf(config), ledger, config.providerTimeout));
  } finally {
    await dataSource.destroy();
  }
}

export const BY = { actor: 'test', note: 'after the restore' };

/** Decides about everything that is lost, and opens the gate. */
export async function reconciled(world: PaymentWorld, decision: 'adopt' | 'refund'): Promise<void> {
  await withReconciliation(world, async (reconciliation) => {
    await reconciliation.refundOwed();
    for (const lost of await reconciliation.lostCharges()) if (lost.owner) await reconciliation[decision](lost, BY);
    await reconciliation.open(BY);
  });
}
