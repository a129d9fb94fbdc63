import { startWorld, type World } from '../support/app.js';
import { DeliveriesPurger } from '../../src/webhooks/deliveries.purger.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

it('deliveries are purged after 30 days, and no earlier', async () => {
  await world.database.query(
    `INSERT INTO webhook_deliveries (account_id, id, endpoint_id, event_id, event_type, resource_type, resource_id, resource_version, status, created_at)
     SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), kept, 'order', 'ord_', 1, 'dead', now() - age::interval
       FROM (VALUES ('kept', '30 days -1 minute'), ('kept', '1 day'), ('gone', '30 days 1 minute'), ('gone', '90 days')) AS d (kept, age)`,
  );
  expect(await world.app.get(DeliveriesPurger).purge()).toBe(2);
  expect(await world.database.query('SELECT DISTINCT event_type FROM webhook_deliveries')).toEqual([{ event_type: 'kept' }]);
});
