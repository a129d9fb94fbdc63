import { v7 as uuidv7 } from 'uuid';
import { DeliveryStore } from '../../src/webhooks/delivery.store.js';
import { FIRST_PAUSE_S, LONGEST_PAUSE_S } from '../../src/webhooks/retry-schedule.js';
import { startWorld, type World } from '../support/app.js';
import { ACCOUNT_A } from '../support/ledger.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** So many that both halves of a range are drawn from. */
const DRAWS = 60;

/** The pauses after one more failure of deliveries that have failed so often, in seconds by the database's clock, shortest first. */
async function pausesAfter(failures: number): Promise<number[]> {
  const endpoint = uuidv7();
  const deliveries = await world.database.query<{ id: string; eventId: string }>(
    `INSERT INTO webhook_deliveries (account_id, id, endpoint_id, event_id, event_type, resource_type, resource_id, resource_version,
                                     attempt, failures, failing_since, lease_until, created_at)
     SELECT $1, gen_random_uuid(), $2, gen_random_uuid(), 'order.updated', 'order', 'ord_' || n, 1,
            $3::int + 1, $3, CASE WHEN $3 > 0 THEN now() - interval '1 day' END, now() + interval '30 s', now()
       FROM generate_series(1, ${DRAWS}) AS n
     RETURNING id, event_id AS "eventId"`,
    [ACCOUNT_A, endpoint, failures],
  );
  const store = world.app.get(DeliveryStore, { strict: false });
  const attempt = failures + 1;
  for (const { id, eventId } of deliveries) {
    const told = { url: 'http://127.0.0.1:1/', secrets: [], eventId, operationId: null, idempotencyKey: null, ageSeconds: 0 };
    const claimed = { ...told, accountId: ACCOUNT_A, id, endpointId: endpoint, attempt, failures, body: '{}', traceparent: null };
    expect(await store.failed(claimed, { attempt, status: 503, error: null, ms: 1 }, false)).toEqual({ dead: false, disabledReason: null });
  }
  const rows = await world.database.query<{ failures: number; pause: number }>(
    `SELECT failures, extract(epoch FROM next_attempt_at - (attempts -> -1 ->> 'at')::timestamptz)::float8 AS pause
       FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'pending' AND lease_until IS NULL ORDER BY pause`,
    [endpoint],
  );
  expect(rows.map((row) => row.failures)).toEqual(Array(DRAWS).fill(failures + 1));
  return rows.map(({ pause }) => pause);
}

it.each([
  [0, FIRST_PAUSE_S],
  [1, 2 * FIRST_PAUSE_S],
  [5, 32 * FIRST_PAUSE_S],
  [20, LONGEST_PAUSE_S],
  [1_000, LONGEST_PAUSE_S],
])('after %i failures and one more the pause is drawn from a second to %i s', async (failures, longest) => {
  const pauses = await pausesAfter(failures);
  const [shortest = 0, widest = 0] = [pauses[0], pauses.at(-1)];
  // The log tells times to the millisecond.
  expect(shortest).toBeGreaterThanOrEqual(1);
  expect(widest).toBeLessThanOrEqual(longest + 0.001);
  // Drawn from all of it: that none of so many is in one half happens never.
  expect(shortest).toBeLessThan(longest / 2);
  expect(widest).toBeGreaterThan(longest / 2);
});
