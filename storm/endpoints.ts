import type { ObedientClient } from './client.js';
import type { Receiver } from './receiver.js';
import type { World } from './world.js';

/** A webhook endpoint of the storm's account. */
export interface Endpoint {
  path: string;
  types: string[];
}

/** One is told everything, one a part. */
export const ENDPOINTS: Endpoint[] = [
  { path: '/all', types: ['*'] },
  { path: '/some', types: ['order.created', 'order.cancelled', 'payment.succeeded', 'product.updated'] },
];

/** Makes the endpoints, before anything is told. */
export async function makeEndpoints(client: ObedientClient, receiver: Receiver): Promise<void> {
  for (const { path, types } of ENDPOINTS) {
    const made = await client.send('/v1/webhook-endpoints', { url: `${receiver.url}${path}`, types });
    const { id } = JSON.parse(made?.text ?? '{}') as { id: string };
    const shown = await client.ask('GET', `/v1/webhook-endpoints/${id}/secret`);
    const { secret } = JSON.parse(shown?.text ?? '{}') as { secret: string };
    receiver.expect(path, secret);
  }
}

/**
 * What a killed replica had in hand would be sent again when its lease of half a minute ends: nothing that comes later than that settles
 * it, so the storm need not wait for it.
 */
export async function endLeases(world: World): Promise<void> {
  await world.query(`UPDATE webhook_deliveries SET lease_until = now() WHERE lease_until > now()`);
}

/** Has what waits for the end of a pause sent now, and says whether anything is left to be sent. */
export async function isAllDelivered(world: World): Promise<boolean> {
  await world.query(`UPDATE webhook_deliveries SET next_attempt_at = now() WHERE status = 'pending' AND next_attempt_at > now()`);
  const [left] = await world.query(
    `SELECT FROM webhook_endpoints e
      WHERE EXISTS (SELECT FROM webhook_deliveries d WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND d.status = 'pending')
         OR EXISTS (SELECT FROM events v
                     WHERE v.account_id = e.account_id AND (v.transaction_id, v.id) > (e.position_transaction, e.position_event))`,
  );
  return !left;
}
