import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { EMBEDDED_ROLES } from '../../src/kernel/config.js';
import { startApp, type TestResponse } from '../support/app.js';
import { createMigratedDatabase, envOf } from '../support/database.js';
import { leftOut } from '../support/debian.js';
import { addProduct, countOf } from '../support/ledger.js';
import { untilFinal } from '../support/payments.js';
import { pgBouncerVersion, startPgBouncer, whyNoPgBouncer } from '../support/pgbouncer.js';
import type { Pooler } from '../support/pooler.js';
import { RULES, type RuleName, type World } from './rules.js';

const missing = whyNoPgBouncer();
describe(`two replicas behind PgBouncer ${pgBouncerVersion() ?? ''} in transaction mode${leftOut(missing)}`, () => {
  let world: World;
  let pooler: Pooler;
  beforeAll(async () => {
    if (missing !== null) return;
    const database = await createMigratedDatabase();
    pooler = await startPgBouncer(database.url);
    // What the rules look at and hold, they do past the pooler; what stands between is the replicas' alone.
    const pooled = { ...database, env: { ...envOf(pooler.url), DATABASE_OWNER_URL: database.url } };
    world = { database: pooled, a: await startApp(pooled), b: await startApp(pooled) };
  });
  afterAll(async () => {
    if (missing !== null) return;
    await world.a.close();
    await world.b.close();
    await pooler.close();
    await world.database.drop();
  });

  const unlessMissing = missing === null ? it : it.skip;
  // A failover ends the pooler's sessions, which renaming a function does not: test/database/failover.spec goes through it by itself.
  for (const name of (Object.keys(RULES) as RuleName[]).filter((each) => each !== 'lostAnswers')) {
    const rule = RULES[name];
    unlessMissing(`holds: ${rule.name}`, async () => {
      await expect(rule.check(world)).resolves.toBeUndefined();
    });
  }

  unlessMissing(
    'sessions that are cut under load, COMMITs among what they were at, lose nothing and double nothing',
    async () => {
      const { database, a, b } = world;
      const product = await addProduct(database);
      const keys = Array.from({ length: 120 }, () => uuidv7());
      const cutting = new AbortController();
      const cut = async (): Promise<void> => {
        while (!cutting.signal.aborted) {
          await database.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = $1 AND state <> 'idle' ORDER BY random() LIMIT 1`,
            [EMBEDDED_ROLES.api],
          );
          await sleep(5);
        }
      };
      const cuts = cut();
      const body = { items: [{ productId: product, quantity: 1 }] };
      const answers: TestResponse[] = [];
      for (let at = 0; at < keys.length; at += 8) {
        const some = keys.slice(at, at + 8).flatMap((key, index) => [a, b].map((on) => ({ key, on: index % 2 === 0 ? on : a })));
        answers.push(...(await Promise.all(some.map(({ key, on }) => untilFinal(() => on.send('POST', '/v1/orders', { key, body }))))));
      }
      cutting.abort();
      await cuts;
      expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
      expect(new Set(answers.map(({ body: order }) => order['id'])).size).toBe(keys.length);
      expect(await countOf(database, 'order_items', 'product_id = $1', [product])).toBe(keys.length);
    },
    120_000,
  );
});
