import { setTimeout as sleep } from 'node:timers/promises';
import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { HOLDFAST, orders } from './context.js';
import { Loader } from './loader.js';
import type { KeyStyle } from './requests.js';
import { rounded } from './statistics.js';
import { paying, paymentsOfLatest, startProvider } from './workloads/payments.js';
import { World } from './world.js';

/**
 * What an order, a payment and a purged record leave in PostgreSQL: bytes of its log, which are what replication and archiving carry,
 * and of each table with its indexes. Bytes are no times: a busy machine doesn't change them.
 */
const BASE_ROWS = 20_000;
const AMOUNT = 4_000;

/** Bytes of one thing: of the log, and of each table by its name. */
interface Bytes {
  wal: number;
  tables: Record<string, number>;
}

const progress = new Progress(5);

await inWorld(
  () => new World(),
  async (world) => {
    progress.step(`PostgreSQL with ${BASE_ROWS} orders`);
    await world.prepare(BASE_ROWS);
    const loader = world.keep(new Loader());
    const { sandbox } = await startProvider(world);
    const holdfast = await world.start('holdfast', HOLDFAST, { PROVIDER_URL: sandbox.url });
    const place = (keys: KeyStyle): Promise<unknown> => loader.run(orders(holdfast, { amount: AMOUNT, traffic: { kind: 'fresh', keys } }));
    const found: [string, Bytes][] = [];
    // The first half only fills what the checkpoint has left: after it each page is written to the log as a whole once.
    for (const keys of ['uuidv7', 'random'] as const) {
      progress.step(`orders with ${keys} keys`);
      await place(keys);
      found.push([`an order, ${keys} key`, await bytesOf(world, AMOUNT, () => place(keys))]);
    }
    progress.step('payments');
    const pay = paying(holdfast, await paymentsOfLatest(world, AMOUNT));
    found.push(['a payment', await bytesOf(world, AMOUNT, () => loader.run(pay))]);
    await holdfast.stop();
    progress.step('a purge');
    found.push(['a record that is purged', await purged(world, sandbox.url)]);
    progress.end();
    process.stdout.write(found.map(([name, bytes]) => lineOf(name, bytes)).join(''));
  },
);

async function bytesOf(world: World, amount: number, work: () => Promise<unknown>): Promise<Bytes> {
  const [from, before] = [await writtenBy(world), await sizesOf(world)];
  await work();
  const [to, after] = [await writtenBy(world), await sizesOf(world)];
  const tables = Object.keys(after).map((name): [string, number] => [name, ((after[name] ?? 0) - (before[name] ?? 0)) / amount]);
  return { wal: (to - from) / amount, tables: Object.fromEntries(tables.filter(([, bytes]) => Math.abs(bytes) >= 1)) };
}

/** Lets all records expire at once, and a replica purge them. */
async function purged(world: World, provider: string): Promise<Bytes> {
  const count = async (): Promise<number> =>
    (await world.query<{ count: number }>('SELECT count(*)::int AS count FROM idempotency_records'))[0]?.count ?? 0;
  await world.query(`UPDATE idempotency_records SET expires_at = now()`);
  await world.query('CHECKPOINT');
  const all = await count();
  return bytesOf(world, all, async () => {
    const replica = await world.start('a replica that purges', HOLDFAST, { PROVIDER_URL: provider, IDEMPOTENCY_PURGE_INTERVAL: '1s' });
    while ((await count()) > 0) await sleep(500);
    await replica.stop();
  });
}

async function writtenBy(world: World): Promise<number> {
  const [row] = await world.query<{ bytes: number }>(`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS bytes`);
  return row?.bytes ?? NaN;
}

/** Of each table with its indexes. */
async function sizesOf(world: World): Promise<Record<string, number>> {
  const rows = await world.query<{ name: string; bytes: number }>(
    `SELECT relname AS name, pg_total_relation_size(oid)::float8 AS bytes FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  );
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, bytes]));
}

function lineOf(name: string, { wal, tables }: Bytes): string {
  const kept = Object.entries(tables).map(([table, bytes]) => `${table} ${rounded(bytes)}`);
  return `${name}: ${rounded(wal)} bytes of the log; tables with their indexes: ${kept.join(', ') || 'nothing'}\n`;
}
