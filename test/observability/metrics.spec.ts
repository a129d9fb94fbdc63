import { v7 as uuidv7 } from 'uuid';
import { Purger } from '../../src/idempotency/records/purger.js';
import { InFlightKeys } from '../../src/idempotency/requests/in-flight-keys.js';
import { ORDER, atOnce, tally, type TestResponse } from '../support/app.js';
import { item, resultsOf, sendBatch } from '../support/batches.js';
import { eventually } from '../support/eventually.js';
import { addProduct, countOf, insertArchived, insertRecord } from '../support/ledger.js';
import { hold, holdProduct, untilBlocked } from '../support/locks.js';
import { WAIT, startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { Series } from '../support/series.js';
import { Receiver, endpointAt, untilAllSettled } from '../webhooks/receiver.js';

let world: PaymentWorld;
beforeAll(async () => {
  // Nothing is recovered by itself: what is interrupted stays so until a test asks for it.
  world = await startPaymentWorld({ IDEMPOTENCY_RECOVERY_INTERVAL: '1h' });
});
afterEach(() => world.faults({}));
afterAll(() => world.close());

const ORDERS = 'POST /v1/orders';
const PAYMENTS = 'POST /v1/payments';

/** What the work adds to the figures, by name and labels. */
async function added(work: () => Promise<unknown>): Promise<(name: string, labels?: Record<string, string>) => number> {
  const before = await Series.of(world);
  await work();
  const after = await Series.of(world);
  return (name, labels) => (after.sum(name, labels) ?? 0) - (before.sum(name, labels) ?? 0);
}

const place = (key: string, body: unknown = ORDER, headers: Record<string, string> = {}): Promise<TestResponse> =>
  world.send('POST', '/v1/orders', { key, body, headers });
const outcomes = (more: (name: string, labels?: Record<string, string>) => number, operation: string, ...names: string[]): number[] =>
  names.map((outcome) => more('idempotency_requests_total', { operation, outcome }));

describe('a request is counted once, by what became of it', () => {
  it('first, replay, another body, a sealed key, none, and one that is none', async () => {
    const key = uuidv7();
    const sealed = uuidv7();
    await world.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey: sealed } });
    const more = await added(async () => {
      await place(key);
      await place(key);
      await place(key, { items: [{ productId: '123', quantity: 2 }] });
      await place(sealed);
      await world.send('POST', '/v1/orders', { key: null, body: ORDER });
      await place('with space');
      await place(uuidv7(), { items: [] });
    });
    expect(outcomes(more, ORDERS, 'executed', 'replayed', 'mismatch', 'sealed', 'missing', 'invalid', 'rejected')).toEqual([
      1, 1, 1, 1, 1, 1, 1,
    ]);
    expect(more('idempotency_requests_total')).toBe(7);
    expect(more('idempotency_request_duration_seconds_count', { answer: 'first' })).toBe(1);
    expect(more('idempotency_request_duration_seconds_count', { answer: 'replay' })).toBe(1);
    expect(more('idempotency_replay_age_seconds_count', { operation: ORDERS })).toBe(1);
  });

  it('in progress at once, or after waiting for the first', async () => {
    const key = uuidv7();
    const held = await holdProduct(world.database);
    const more = await added(async () => {
      const first = place(key);
      await untilBlocked(world.database);
      expect((await place(key)).status).toBe(409);
      const looks = jest.spyOn(InFlightKeys.prototype, 'find');
      const waits = place(key, ORDER, WAIT);
      await eventually('it to find the first', () => looks.mock.results.some(({ value }) => value !== undefined));
      await held.release();
      expect(tally(await Promise.all([first, waits]))).toEqual({ 201: 2 });
    });
    expect(outcomes(more, ORDERS, 'executed', 'in-progress', 'waited', 'replayed')).toEqual([1, 1, 1, 0]);
    expect(more('idempotency_request_duration_seconds_count', { answer: 'waited' })).toBe(1);
  });

  it('expired, with the key’s age where it is not', async () => {
    const [old, live] = [uuidv7(), uuidv7()];
    await insertRecord(world.database, { key: old, request: ORDER, body: '{}', expiresIn: '-1 hour' });
    await place(live);
    await world.database.query(`UPDATE idempotency_records SET created_at = created_at - interval '2 hours' WHERE key = $1`, [live]);
    const replica = await world.secondApp();
    const before = await Series.of(replica);
    const from = (key: string) => replica.send('POST', '/v1/orders', { key, body: ORDER });
    expect(tally([await from(old), await from(live), await from(live)])).toEqual({ 410: 1, 201: 2 });
    const after = await Series.of(replica);
    expect(after.sum('idempotency_requests_total', { outcome: 'expired' })).toBe(1);
    // Read from the record, and from memory.
    expect(after.sum('idempotency_replay_age_seconds_bucket', { le: '3600' })).toBe(
      before.sum('idempotency_replay_age_seconds_bucket') ?? 0,
    );
    expect(after.sum('idempotency_replay_age_seconds_bucket', { le: '21600' })).toBe(2);
    // It would send and count webhooks of later tests.
    await replica.close();
  });

  it('beyond the account’s limit', async () => {
    const limited = await world.secondApp({ RATE_LIMIT: '1/1h' });
    const send = () => limited.send('POST', '/v1/orders', { body: ORDER });
    expect(tally([await send(), await send()])).toEqual({ 201: 1, 429: 1 });
    expect((await Series.of(limited)).sum('idempotency_requests_total', { operation: ORDERS, outcome: 'rate-limited' })).toBe(1);
    await limited.close();
  });

  it('unavailable, where the database keeps refusing what it would take later', async () => {
    await world.database.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '40001'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()`);
    const more = await added(async () => expect((await place(uuidv7())).status).toBe(503));
    await world.database.query('DROP FUNCTION refuse CASCADE');
    expect(outcomes(more, ORDERS, 'unavailable', 'failed', 'rejected')).toEqual([1, 0, 0]);
  });

  it('as a possible duplicate, which is stored and replayed like anything else', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    const more = await added(async () => {
      await world.pay(order);
      await world.pay(order, 'tok_visa', { key });
      await world.pay(order, 'tok_visa', { key });
    });
    expect(outcomes(more, PAYMENTS, 'executed', 'possible-duplicate', 'replayed')).toEqual([1, 1, 1]);
  });
});

it('retries are counted by reason and attempt, and those that got their answer', async () => {
  const key = uuidv7();
  const held = await holdProduct(world.database);
  const more = await added(async () => {
    const first = place(key);
    await untilBlocked(world.database);
    await place(key, ORDER, { 'retry-attempt': '2', 'retry-reason': 'timeout' });
    await held.release();
    await first;
    await place(key, ORDER, { 'retry-attempt': '3', 'retry-reason': 'in-progress' });
    await place(key, ORDER, { 'retry-reason': 'because' });
  });
  const by = (name: string, reason: string) => more(name, { operation: ORDERS, reason });
  expect(['timeout', 'in-progress', ''].map((reason) => by('idempotency_retries_total', reason))).toEqual([1, 1, 1]);
  expect(['timeout', 'in-progress', ''].map((reason) => by('idempotency_retries_succeeded_total', reason))).toEqual([0, 1, 1]);
  expect(more('idempotency_retry_attempts_sum')).toBe(5);
});

describe('an item of a batch', () => {
  it('counts as a request of its own, and its replay stands in its story', async () => {
    const product = await addProduct(world.database);
    const known = item(product);
    await sendBatch(world, [known]);
    const [twin, another] = [item(product), item(product)];
    const more = await added(() => sendBatch(world, [known, twin, twin, another, { ...known, note: 'x' }].slice(0, 4), {}));
    expect(outcomes(more, ORDERS, 'executed', 'replayed')).toEqual([2, 2]);
    expect(outcomes(more, 'POST /v1/orders/batch', 'executed', 'replayed')).toEqual([1, 0]);
    expect(more('idempotency_request_duration_seconds_count', { operation: ORDERS })).toBe(0);
    const story = async () => (await world.send('GET', `/v1/operations?idempotencyKey=${known.idempotencyKey}`)).body['data'][0];
    await eventually('the replay in the story', async () => (await story())['replays'] === 1);
  });

  it('is none where its batch was rolled back, or replayed', async () => {
    const [product, scarce] = [await addProduct(world.database), await addProduct(world.database, { stock: 0 })];
    const key = uuidv7();
    const items = [item(product), item(scarce)];
    const more = await added(async () => {
      const answer = await sendBatch(world, items, { atomic: true, key });
      expect(tally(resultsOf(answer))).toEqual({ 424: 1, 409: 1 });
      await sendBatch(world, items, { atomic: true, key });
    });
    expect(outcomes(more, ORDERS, 'executed', 'replayed', 'rolled-back')).toEqual([0, 0, 2]);
    expect(outcomes(more, 'POST /v1/orders/batch', 'executed', 'replayed')).toEqual([1, 1]);
  });
});

it('an unknown outcome is parked with its age, taken over by a retry, and recovered by its step', async () => {
  const order = await world.placeOrder();
  const key = uuidv7();
  await world.faults({ dropAfter: 1 });
  const opened = await added(async () => expect((await world.pay(order, 'tok_visa', { key })).status).toBe(202));
  expect(outcomes(opened, PAYMENTS, 'pending')).toEqual([1]);
  expect(opened('idempotency_records', { state: 'parked' })).toBe(1);
  expect(opened('payments_provider_calls_total', { call: 'charge', outcome: 'unknown' })).toBeGreaterThan(0);
  await world.database.query(`UPDATE idempotency_records SET created_at = now() - interval '1 hour' WHERE key = $1`, [key]);
  expect((await Series.of(world)).sum('idempotency_oldest_parked_seconds')).toBeGreaterThanOrEqual(3_600);
  await world.faults({});
  await world.passInterval();
  const ended = await added(async () => expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201));
  expect(ended('idempotency_records', { state: 'parked' })).toBe(-1);
  expect(ended('idempotency_takeovers_total', { by: 'retry', step: 'payments.charge', found: 'parked' })).toBe(1);
  expect(ended('idempotency_recoveries_total', { step: 'payments.charge', result: 'completed' })).toBe(1);
  expect(ended('payments_provider_calls_total', { call: 'charge', outcome: 'succeeded' })).toBe(1);
  expect(ended('payments_provider_call_duration_seconds_count', { call: 'charge' })).toBe(1);
});

it('an operation whose process died is taken over by its lease', async () => {
  const [order, key] = [await world.placeOrder(), uuidv7()];
  await world.faults({ dropAfter: 1 });
  expect((await world.pay(order, 'tok_visa', { key })).status).toBe(202);
  await world.faults({});
  // What a process leaves that died while it waited for the provider.
  await world.database.query(`UPDATE idempotency_records SET parked_reason = NULL, lease_until = now() WHERE key = $1`, [key]);
  const more = await added(async () => expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201));
  expect(more('idempotency_takeovers_total', { by: 'retry', step: 'payments.charge', found: 'lease' })).toBe(1);
  expect(more('idempotency_takeovers_total', { found: 'parked' })).toBe(0);
});

it('whoever loses an operation meanwhile settles in vain, and that is counted', async () => {
  const order = await world.placeOrder();
  const key = uuidv7();
  const provider = await world.sandbox.hold();
  const more = await added(async () => {
    const first = world.pay(order, 'tok_visa', { key });
    await untilBlocked(world.sandbox.database);
    // As if its lease had run out, and somebody else had finished it.
    await world.database.query(`UPDATE idempotency_records SET attempt = attempt + 1 WHERE key = $1`, [key]);
    await provider.release();
    await first;
  });
  expect(more('idempotency_fenced_writes_total', { step: 'payments.charge' })).toBe(1);
});

describe('webhooks', () => {
  it('deliveries are counted by outcome, with their lag, and what a dead receiver leaves is shown', async () => {
    const [alive, dead] = [await Receiver.start(), await Receiver.start()];
    const { url: nobody } = dead;
    await dead.close();
    const before = await Series.of(world);
    // The only event of its type: a new endpoint is told of what may have been committed while it was made, orders of earlier tests too.
    await endpointAt(world, alive.url, { types: ['ticket.created'] });
    await endpointAt(world, nobody, { types: ['ticket.created'] });
    await world.send('POST', '/v1/tickets', { body: { subject: 'One', description: 'event', priority: 'low' } });
    const after = await eventually(
      'both attempts',
      async () => {
        const now = await Series.of(world);
        // The dead one may have been tried again by now.
        const refused = now.sum('webhooks_delivery_attempts_total', { outcome: 'connection-refused' }) ?? 0;
        return refused > 0 && now.sum('webhooks_deliveries_total', { outcome: 'delivered' }) === 1 && now;
      },
      30_000,
    );
    expect(after.sum('webhooks_delivery_lag_seconds_count')).toBe((before.sum('webhooks_delivery_lag_seconds_count') ?? 0) + 1);
    expect(after.sum('webhooks_pending_deliveries', { endpoint: 'failing' })).toBe(1);
    expect(after.sum('webhooks_endpoints', { state: 'failing' })).toBe(1);
    await world.database.query(`UPDATE webhook_deliveries SET failing_since = now() - interval '5 days' WHERE status = 'pending'`);
    await world.database.query(`UPDATE webhook_endpoints SET failing_since = now() - interval '5 days' WHERE failing_since IS NOT NULL`);
    await untilAllSettled(world.database);
    const last = await eventually('the delivery to be dead', async () => {
      const now = await Series.of(world);
      return now.sum('webhooks_deliveries_total', { outcome: 'dead' }) === 1 && now;
    });
    expect(last.sum('webhooks_endpoints_disabled_total', { reason: 'failing' })).toBe(1);
    expect(last.sum('webhooks_endpoints', { state: 'disabled' })).toBe(1);
    expect(last.sum('webhooks_pending_deliveries')).toBe(0);
    await alive.close();
  });
});

describe('a scrape', () => {
  it('has NaN for what the database does not tell within a second, and everything else', async () => {
    const held = await hold(world.database, 'LOCK TABLE idempotency_archive IN ACCESS EXCLUSIVE MODE');
    const now = await Series.of(world);
    await held.release();
    expect([now.sum('idempotency_archive_records'), now.sum('idempotency_archive_bytes')]).toEqual([Number.NaN, Number.NaN]);
    expect(now.sum('idempotency_oldest_unfinished_seconds')).toBeGreaterThanOrEqual(0);
    expect(now.sum('idempotency_requests_total', { operation: ORDERS, outcome: 'executed' })).toBeGreaterThan(0);
    const again = await eventually('the figures again', async () => {
      const series = await Series.of(world);
      return !Number.isNaN(series.sum('idempotency_archive_records')) && series;
    });
    expect(again.sum('payments_for_review')).toBe(0);
  });

  it('shows the queues of accounts and the connections in use', async () => {
    const narrow = await world.secondApp({ DB_POOL_SIZE: '1' });
    const held = await holdProduct(world.database);
    const orders = atOnce(4, () => narrow.send('POST', '/v1/orders', { body: ORDER }));
    const busy = await eventually('three to wait', async () => {
      const now = await Series.of(narrow);
      return now.sum('idempotency_queued_requests') === 3 && now;
    });
    expect(busy.sum('idempotency_queued_accounts')).toBe(1);
    expect(busy.sum('idempotency_longest_account_queue')).toBe(3);
    expect(busy.sum('database_pool_connections', { pool: 'requests', state: 'used' })).toBe(1);
    await held.release();
    await orders;
    expect((await Series.of(narrow)).sum('idempotency_turn_wait_seconds_count')).toBe(3);
  });

  it('shows how long a request waited for a connection that others had', async () => {
    const narrow = await world.secondApp({ DB_POOL_SIZE: '1' });
    const held = await holdProduct(world.database);
    const order = narrow.send('POST', '/v1/orders', { body: ORDER });
    await untilBlocked(world.database);
    const waits = (series: Series) => series.sum('database_pool_wait_seconds_count', { pool: 'requests' }) ?? 0;
    const before = waits(await Series.of(narrow));
    const read = narrow.send('GET', '/v1/orders?limit=1');
    await eventually('it to wait', async () => (await Series.of(narrow)).sum('database_pool_waiting', { pool: 'requests' }) === 1);
    expect(waits(await Series.of(narrow))).toBe(before);
    await held.release();
    expect(tally(await Promise.all([order, read]))).toEqual({ 201: 1, 200: 1 });
    expect(waits(await Series.of(narrow))).toBe(before + 1);
    await narrow.close();
  });

  it('counts what the archive forgets, and sealed keys after their time', async () => {
    const sealed = uuidv7();
    await world.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey: sealed } });
    const more = await added(async () => {
      await world.database.query(`UPDATE idempotency_records SET expires_at = now() - interval '1 second' WHERE key = $1`, [sealed]);
      for (const days of [399, 401]) {
        const id = await insertArchived(world.database, uuidv7(), null);
        await world.database.query(`UPDATE idempotency_archive SET archived_at = now() - $1 * interval '1 day' WHERE operation_id = $2`, [
          days,
          id,
        ]);
      }
      await world.app.get(Purger).purge();
    });
    expect(more('idempotency_forgotten_total')).toBe(2);
  });

  it('counts records and the archive, what was purged into it too', async () => {
    const purging = await world.secondApp({ IDEMPOTENCY_PURGE_INTERVAL: '50ms' });
    const before = await Series.of(world);
    await insertRecord(world.database, { key: uuidv7(), request: ORDER, body: '{}', expiresIn: '-1 second' });
    // The purge may come between two figures of one scrape.
    const archived = await eventually('the purge', async () => {
      const now = await Series.of(purging);
      const isShown = now.sum('idempotency_archive_records') === (await countOf(world.database, 'idempotency_archive'));
      return isShown && (now.sum('idempotency_archived_total') ?? 0) > 0 && now;
    });
    expect(archived.sum('idempotency_archive_records')).toBeGreaterThan(before.sum('idempotency_archive_records') ?? 0);
    expect(archived.sum('idempotency_archive_bytes')).toBeGreaterThan(0);
    // The purge may move one more between the scrape and the count.
    await eventually('the figure to be the table\u2019s', async () => {
      const shown = (await Series.of(world)).sum('idempotency_records', { state: 'completed' });
      return shown === (await countOf(world.database, 'idempotency_records', `status = 'completed'`));
    });
  });
});
