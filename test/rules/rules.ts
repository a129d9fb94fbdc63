// Rules are run by tests.
/* oxlint-disable jest/no-standalone-expect */
import { v7 as uuidv7 } from 'uuid';
import { DataSource } from 'typeorm';
import { readAs } from '../../src/http/reads.js';
import { ServerTimeline } from '../../src/idempotency/postgres/server-timeline.js';
import { Purger } from '../../src/idempotency/records/purger.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { Order } from '../../src/orders/order.entity.js';
import { KEY_A, KEY_B, ORDER, startApp, type TestApp, type TestResponse } from '../support/app.js';
import type { TestDatabase } from '../support/database.js';
import { item, sendBatch, statusesOf } from '../support/batches.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { blockedBackends, hold, holdProduct, untilAllAreBlocked, untilBlocked } from '../support/locks.js';
import { StripeServer } from '../support/stripe-server.js';

/** Two replicas on one database. */
export interface World {
  database: TestDatabase;
  a: TestApp;
  b: TestApp;
}

/** What must hold, whatever happens; `check` rejects where it doesn't. */
export interface Rule {
  name: string;
  check: (world: World) => Promise<void>;
}

export const RULES = {
  oneEffect: {
    name: 'one key has one effect, also when two replicas run it at once',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      const held = await holdProduct(database, product);
      const first = place(a, key, product);
      await untilBlocked(database);
      let answered = false;
      const second = place(b, key, product).finally(() => (answered = true));
      await eventually('the second one to be answered or to run', async () => answered || (await blockedBackends(database)).length === 2);
      await held.release();
      await Promise.all([first, second]);
      expect((await place(b, key, product)).body['id']).toBe((await first).body['id']);
      expect(await stockOf(database, product)).toBe(999);
      expect(await recordsOf(database, key)).toHaveLength(1);
    },
  },

  sealedStaysSealed: {
    name: 'a key that is said to be sealed never executes, and one that executes is never said to be',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const [sealed, used] = [uuidv7(), uuidv7()];
      expect((await seal(a, sealed)).body['state']).toBe('sealed');
      expect((await place(b, sealed, product)).body['code']).toBe('idempotency-key-sealed');
      const held = await holdProduct(database, product);
      const first = place(a, used, product);
      await untilBlocked(database);
      const told = (await seal(b, used)).body['state'];
      await held.release();
      const executed = (await first).status === 201;
      // Who asks while it runs is told to come again, or is the first.
      expect(executed).toBe(told !== 'sealed');
      expect((await seal(b, used)).body['state']).toBe(executed ? 'completed' : 'sealed');
      expect(await stockOf(database, product)).toBe(executed ? 999 : 1_000);
    },
  },

  noRecordWithoutWork: {
    name: 'work that is rolled back leaves no record',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      const failed = await withFailing(database, 'AFTER INSERT ON orders', () => place(a, key, product));
      expect(failed.status).toBeGreaterThanOrEqual(500);
      expect(await recordsOf(database, key)).toEqual([]);
      expect((await place(b, key, product)).status).toBe(201);
      expect(await stockOf(database, product)).toBe(999);
    },
  },

  noWorkWithoutRecord: {
    name: 'where the record cannot be written, the work is not done either',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      const failed = await withFailing(database, 'BEFORE INSERT ON idempotency_records', () => place(a, key, product));
      expect(failed.status).toBeGreaterThanOrEqual(500);
      expect(await countOf(database, 'order_items', 'product_id = $1', [product])).toBe(0);
      expect((await place(b, key, product)).status).toBe(201);
      expect(await stockOf(database, product)).toBe(999);
    },
  },

  itemsWithTheirWork: {
    name: 'an item of a batch has its record with its order: both or neither, for all of them',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const items = [item(product), item(product)];
      for (const event of ['AFTER INSERT ON orders', 'BEFORE INSERT ON idempotency_records']) {
        const failed = await withFailing(database, event, () => sendBatch(a, items));
        expect(failed.status).toBeGreaterThanOrEqual(500);
        for (const { idempotencyKey } of items) expect(await recordsOf(database, idempotencyKey)).toEqual([]);
        expect(await countOf(database, 'order_items', 'product_id = $1', [product])).toBe(0);
      }
      expect(statusesOf(await sendBatch(b, items))).toEqual([201, 201]);
      expect(statusesOf(await sendBatch(a, items.toReversed()))).toEqual([201, 201]);
      expect(await stockOf(database, product)).toBe(998);
    },
  },

  eventsWithWork: {
    name: 'an event is told of work that is committed, once, and of no other',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const failed = await withFailing(database, 'AFTER INSERT ON orders', () => place(a, uuidv7(), product));
      expect(failed.status).toBeGreaterThanOrEqual(500);
      const key = uuidv7();
      for (const on of [a, b]) expect((await place(on, key, product)).status).toBe(201);
      expect(await countOf(database, 'events', `data::text LIKE '%' || $1 || '%'`, [product])).toBe(1);
    },
  },

  nothingPassedOver: {
    name: 'reading events forward waits for transactions that began before',
    async check({ database, a }) {
      const newest = async (): Promise<string> => (await a.send('GET', '/v1/events?limit=1')).body['data'][0].id;
      await a.send('POST', '/v1/orders', { body: ORDER });
      const start = await newest();
      const held = await hold(database, 'SELECT pg_current_xact_id()');
      await a.send('POST', '/v1/orders', { body: ORDER });
      expect(await newest()).not.toBe(start);
      const forward = await a.send('GET', `/v1/events?after=${start}`);
      await held.release();
      expect(forward.body['data']).toEqual([]);
    },
  },

  ownKeys: {
    name: 'a key belongs to its account',
    async check({ a }) {
      const key = uuidv7();
      const [mine, theirs] = [
        await a.send('POST', '/v1/orders', { key, as: KEY_A, body: ORDER }),
        await a.send('POST', '/v1/orders', { key, as: KEY_B, body: ORDER }),
      ];
      expect([mine.status, theirs.status]).toEqual([201, 201]);
      expect(theirs.text).not.toBe(mine.text);
    },
  },

  sameRequest: {
    name: 'another request under the same key is refused',
    async check({ database, a, b }) {
      const [product, other] = [await addProduct(database), await addProduct(database)];
      const key = uuidv7();
      await place(a, key, product);
      for (const on of [a, b]) expect((await place(on, key, other)).status).toBe(422);
      expect(await stockOf(database, other)).toBe(1_000);
    },
  },

  failuresAreNotKept: {
    name: 'a failure is no outcome: the same key may be sent again',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      await database.query('ALTER TABLE products RENAME TO products_gone');
      const failed = await place(a, key, product);
      await database.query('ALTER TABLE products_gone RENAME TO products');
      expect(failed.status).toBe(500);
      for (const on of [b, a]) expect((await place(on, key, product)).status).toBe(201);
    },
  },

  sameBytes: {
    name: 'a replay has the bytes of the first answer',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      const first = await place(a, key, product);
      for (const on of [a, b]) expect((await place(on, key, product)).text).toBe(first.text);
    },
  },

  unfinishedStays: {
    name: 'the purge leaves unfinished operations alone',
    async check({ database, a }) {
      const key = uuidv7();
      await database.query(
        `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, subject_id, window_ms,
                                          response_status, response_headers, response_body, lease_until, next_run_at, created_at)
         VALUES ($1, $2, $3, 'POST /v1/payments', $4, 'running', 'payments.charge', $3, 1, 202, '{}', '{}',
                 now() - interval '1 day', now() + interval '1 day', now() - interval '2 days')`,
        [ACCOUNT_A, key, uuidv7(), Buffer.alloc(32)],
      );
      await purge(a);
      expect(await recordsOf(database, key)).toMatchObject([{ status: 'running' }]);
    },
  },

  purgedStaysDone: {
    name: 'a purged key is never executed again',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      await place(a, key, product);
      await database.query(`UPDATE idempotency_records SET expires_at = now() - interval '1 second' WHERE key = $1`, [key]);
      await purge(a);
      expect(await recordsOf(database, key)).toEqual([]);
      expect((await place(b, key, product)).status).toBe(410);
      expect(await stockOf(database, product)).toBe(999);
    },
  },

  fairTurns: {
    name: 'an account that has everything under way leaves another one alone',
    async check({ database, a }) {
      const slow = await addProduct(database);
      const held = await holdProduct(database, slow);
      const crowd = Array.from({ length: 30 }, () => place(a, uuidv7(), slow));
      await untilAllAreBlocked(database);
      const other = await a.send('POST', '/v1/orders', { as: KEY_B, body: ORDER });
      const whileHeld = (await blockedBackends(database)).length;
      await held.release();
      await Promise.all(crowd);
      expect([other.status, whileHeld > 0]).toEqual([201, true]);
    },
  },

  presentPrices: {
    name: 'an order has the price of the catalogue, whatever a process remembers of it',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      for (const on of [a, b]) expect((await place(on, uuidv7(), product)).status).toBe(201);
      await database.query('UPDATE products SET unit_price = 77 WHERE id = $1', [product]);
      for (const on of [a, b]) expect((await place(on, uuidv7(), product)).body).toMatchObject({ total: 77 });
    },
  },

  lateIsNotExecuted: {
    name: 'a request that arrives after its deadline has no effect, and its key answers that',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      const send = (on: TestApp): Promise<TestResponse> =>
        on.send('POST', '/v1/orders', {
          key,
          body: { items: [{ productId: product, quantity: 1 }] },
          headers: { 'request-deadline': 'Sun, 06 Nov 1994 08:49:37 GMT' },
        });
      for (const on of [a, b]) expect(await send(on)).toMatchObject({ status: 409, body: { code: 'deadline-passed' } });
      expect(await stockOf(database, product)).toBe(1_000);
    },
  },

  oneAccountShown: {
    name: 'a read that forgets its filter shows one account',
    async check({ a }) {
      for (const as of [KEY_A, KEY_B]) expect((await a.send('POST', '/v1/orders', { as, body: ORDER })).status).toBe(201);
      const found = await readAs(a.app.get(DataSource).getRepository(Order), ACCOUNT_A, (own) => own.find());
      expect([...new Set(found.map(({ accountId }) => accountId))]).toEqual([ACCOUNT_A]);
    },
  },

  everyTableSecured: {
    name: 'every table with rows of accounts has a policy that shows one account',
    async check({ database }) {
      const bare = await database.query(
        `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
          WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'holdfast_api'))`,
      );
      expect(bare).toEqual([]);
    },
  },

  oneOfTwoKeys: {
    name: 'one payment under two keys at once is one payment',
    async check({ database, a, b }) {
      const { body: order } = await a.send('POST', '/v1/orders', { body: ORDER });
      const body = { orderId: order['id'], amount: order['total'], currency: 'EUR', source: 'tok_visa' };
      const answers = await Promise.all([a, b].map((on) => on.send('POST', '/v1/payments', { body })));
      expect(answers.map((answer) => answer.body['code'] === 'possible-duplicate').sort()).toEqual([false, true]);
      expect(await countOf(database, 'payments', 'order_id = $1', [uuidOf('ord', String(order['id']))])).toBeLessThanOrEqual(1);
    },
  },

  oneMeaning: {
    name: 'a request that can be read in two ways is not executed',
    async check({ database, a }) {
      const product = await addProduct(database);
      const body = `{"items":[{"productId":"${product}","quantity":1,"quantity":900}]}`;
      const answer = await a.send('POST', '/v1/orders', { key: uuidv7(), body });
      expect([answer.status, answer.body['code']]).toEqual([400, 'malformed-json']);
      expect(await stockOf(database, product)).toBe(1_000);
    },
  },

  lostAnswers: {
    name: 'an answer that was lost in a failover is given no more',
    async check({ database, a, b }) {
      const product = await addProduct(database);
      const key = uuidv7();
      const lost = await place(a, key, product);
      expect((await place(a, key, product)).body['id']).toBe(lost.body['id']);
      await loseOrder(database, key, uuidOf('ord', lost.body['id'] as string));
      await promote(database);
      // As an operator does who has looked at the provider's books: payments wait on the later timeline.
      await database.query('UPDATE payments_gate SET timeline = (SELECT timeline FROM current_server())');
      for (const on of [a, b]) await on.app.get(ServerTimeline, { strict: false }).read();
      const again = await place(b, key, product);
      expect([again.status, again.body['id'] === lost.body['id']]).toEqual([201, false]);
      expect((await place(a, key, product)).body['id']).toBe(again.body['id']);
      expect(await countOf(database, 'order_items', 'product_id = $1', [product])).toBe(1);
      expect(await recordsOf(database, key)).toHaveLength(1);
    },
  },

  answersCompared: {
    name: 'an answer of the provider about something else than was asked settles nothing',
    async check({ database }) {
      const stripe = await new StripeServer().start();
      const app = await startApp(database, { PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_rules', STRIPE_API_HOST: stripe.url });
      try {
        for (const lie of [{ amount: 1 }, { currency: 'usd' }, { metadata: { reference: 'hf_another' } }]) {
          stripe.lie = lie;
          const { body: order } = await app.send('POST', '/v1/orders', { body: ORDER });
          const body = { orderId: String(order['id']), amount: Number(order['total']), currency: 'EUR', source: 'tok_visa' };
          const paid = await app.send('POST', '/v1/payments', { body });
          expect([paid.status, paid.body['status']]).toEqual([202, 'processing']);
          const where = `id = $1 AND status = 'processing' AND review_reason LIKE 'the provider answered with %'`;
          expect(await countOf(database, 'payments', where, [uuidOf('pay', String(paid.body['id']))])).toBe(1);
        }
      } finally {
        await app.close();
        await stripe.close();
      }
    },
  },

  decidedOnce: {
    name: 'a decision settles what nobody can tell once, and its key answers that',
    async check({ database }) {
      const stripe = await new StripeServer().start();
      const app = await startApp(database, { PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_rules', STRIPE_API_HOST: stripe.url });
      try {
        stripe.faults.push(...Array.from({ length: 200 }, () => ({ status: 500 })));
        const { body: order } = await app.send('POST', '/v1/orders', { body: ORDER });
        const request = { key: uuidv7(), body: { orderId: order['id'], amount: order['total'], currency: 'EUR', source: 'tok_visa' } };
        const paid = await app.send('POST', '/v1/payments', request);
        await database.query(`UPDATE payments SET review_reason = 'nobody can tell' WHERE id = $1`, [
          uuidOf('pay', String(paid.body['id'])),
        ]);
        const decide = (outcome: string): Promise<TestResponse> =>
          app.send('POST', `/v1/operations/${paid.headers.get('operation-id')}/decision`, { body: { outcome, note: 'a rule' } });
        const first = await eventually('the operation to be in nobody\u2019s hands', async () => {
          const answer = await decide('did-not-happen');
          return answer.body['code'] !== 'operation-running' && answer;
        });
        expect([first.status, (await app.send('POST', '/v1/payments', request)).status]).toEqual([200, 402]);
        expect((await decide('happened')).body['code']).toBe('not-under-review');
        expect(await countOf(database, 'orders', `id = $1 AND status = 'pending'`, [uuidOf('ord', String(order['id']))])).toBe(1);
      } finally {
        await app.close();
        await stripe.close();
      }
    },
  },
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;

function seal(on: TestApp, idempotencyKey: string): Promise<TestResponse> {
  return on.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey } });
}

function place(on: TestApp, key: string, productId: string): Promise<TestResponse> {
  return on.send('POST', '/v1/orders', { key, body: { items: [{ productId, quantity: 1 }] } });
}

function purge(on: TestApp): Promise<unknown> {
  return on.app.get(Purger, { strict: false }).purge();
}

/** As if its transaction had never reached the server that answers now. */
async function loseOrder(database: TestDatabase, key: string, orderId: string | null): Promise<void> {
  await database.query('DELETE FROM order_items WHERE order_id = $1', [orderId]);
  await database.query('DELETE FROM orders WHERE id = $1', [orderId]);
  await database.query('DELETE FROM idempotency_records WHERE key = $1', [key]);
}

/** The server goes on as one that was promoted, under the connections that are open, as behind a pooler: on a later timeline. */
async function promote(database: TestDatabase): Promise<void> {
  await database.query(`
    ALTER FUNCTION pg_catalog.pg_walfile_name(pg_lsn) RENAME TO pg_walfile_name_of_old;
    CREATE FUNCTION public.pg_walfile_name(pg_lsn) RETURNS text LANGUAGE sql AS $$ SELECT '0000000F' || substring(pg_walfile_name_of_old($1), 9) $$`);
}

/** Runs `work` while this raises an error; what happens AFTER something does so no sooner than at COMMIT. */
async function withFailing<T>(database: TestDatabase, event: string, work: () => Promise<T>): Promise<T> {
  const [constraint, deferred] = event.startsWith('AFTER') ? ['CONSTRAINT', 'DEFERRABLE INITIALLY DEFERRED'] : ['', ''];
  await database.query(`
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$;
    CREATE ${constraint} TRIGGER fail ${event} ${deferred} FOR EACH ROW EXECUTE FUNCTION fail()`);
  try {
    return await work();
  } finally {
    await database.query('DROP FUNCTION fail CASCADE');
  }
}
