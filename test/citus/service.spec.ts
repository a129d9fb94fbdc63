import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { buildSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { audit, linesOf } from '../../src/audit/auditor.js';
import { parseConfig, type Config } from '../../src/kernel/config.js';
import type { TestResponse } from '../support/app.js';
import { spendTransactions, startCluster, whyNoCitus, type Cluster } from '../support/citus.js';
import { envOf, on, prepare } from '../support/database.js';
import { leftOut } from '../support/debian.js';
import { runEndToEnd } from '../support/end-to-end.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A } from '../support/ledger.js';
import { startProcess, type ApiProcess } from '../support/process.js';

const DATABASE = 'service';
const missing = whyNoCitus();
const unlessMissing = missing === null ? it : it.skip;
const ORDER = { items: [{ productId: '123', quantity: 1 }] };
const RECONCILE = resolve(__dirname, '../../dist/src/payments/restore/reconcile.cli.js');

describe('the service on a cluster of three servers', () => {
  let cluster: Cluster;
  let sandbox: Sandbox;
  let replicas: ApiProcess[];
  let env: Record<string, string>;
  /** Of an order that was there before the tables were spread. */
  let firstEvent: string;
  const settings = (): Record<string, string> => ({ ...envOf(cluster.url(DATABASE)), PROVIDER: 'sandbox', ...env });
  const config = (): Config => parseConfig(settings());
  const reconcile = (...words: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [RECONCILE, ...words], { env: { PATH: process.env['PATH'], ...settings() } });
  const ask = <Row>(text: string): Promise<Row[]> => on<Row>(cluster.url(DATABASE), text);

  beforeAll(async () => {
    if (missing !== null) return;
    cluster = await startCluster();
    await cluster.create(DATABASE);
    await prepare(cluster.url(DATABASE));
    // What is there before goes along to servers that have given out fewer ids.
    await spendTransactions(cluster.url(DATABASE));
    const before = await startProcess(cluster.url(DATABASE));
    const placed = await before.send('POST', '/v1/orders', { key: uuidv7(), body: ORDER });
    firstEvent = await newestEvent(before);
    expect(placed.status).toBe(201);
    await before.kill('SIGKILL');
    await cluster.spread(DATABASE);
    sandbox = await buildSandbox({ databaseUrl: cluster.url('provider') });
    env = { PROVIDER_URL: await sandbox.listen(0, '127.0.0.1'), IDEMPOTENCY_PURGE_INTERVAL: '500ms' };
    replicas = [];
    for (const url of cluster.urls(DATABASE)) replicas.push(await startProcess(url, env));
  }, 120_000);
  afterAll(async () => {
    if (missing !== null) return;
    await Promise.all(replicas.map((replica) => replica.kill('SIGKILL')));
    await sandbox.close();
    await cluster.stop();
  });

  function replica(server: number): ApiProcess {
    const found = replicas[server];
    if (!found) throw new Error(`no replica enters by server ${server}`);
    return found;
  }
  const newestEvent = async (by: ApiProcess): Promise<string> => {
    const { body } = await by.send('GET', '/v1/events?limit=1');
    return body['data'][0].id as string;
  };
  const after = async (id: string): Promise<string[]> => {
    const { body } = await replica(1).send('GET', `/v1/events?limit=100&after=${id}`);
    return body['data'].map((event: { resource: { id: string } }) => event.resource.id);
  };
  async function place(): Promise<string> {
    const placed = await replica(0).send('POST', '/v1/orders', { key: uuidv7(), body: ORDER });
    return placed.body['id'] as string;
  }

  unlessMissing(
    `events go on behind those of before, also once the account's rows have moved to another server${leftOut(missing)}`,
    async () => {
      await cluster.spendTransactions(DATABASE, ACCOUNT_A);
      const second = await place();
      await eventually('the event to be read', async () => (await after(firstEvent)).includes(second));
      const newest = await newestEvent(replica(0));
      await cluster.move(DATABASE, ACCOUNT_A);
      await cluster.spread(DATABASE);
      const third = await place();
      await eventually('the event to be read', async () => (await after(newest)).includes(third));
      expect(await after(firstEvent)).toEqual([second, third]);
    },
  );

  unlessMissing.each([0, 1, 2])(
    `passes the end-to-end suite by its server %i${leftOut(missing)}`,
    async (server) => {
      expect(await runEndToEnd(replica(server).url)).toMatch(/Tests: +\d+ passed, /);
    },
    120_000,
  );

  unlessMissing(`the audit finds no difference between records, rows and the provider's ledger${leftOut(missing)}`, async () => {
    expect([...linesOf(await audit(config()))]).toEqual(['differences: 0']);
  });

  unlessMissing(`and finds one that is there${leftOut(missing)}`, async () => {
    const [order] = await ask<{ account: string; id: string }>('SELECT account_id AS account, id FROM orders LIMIT 1');
    const change = (by: number): Promise<unknown> =>
      on(cluster.url(DATABASE), 'UPDATE orders SET total = total + $3 WHERE account_id = $1 AND id = $2', [order?.account, order?.id, by]);
    await change(1);
    const found = [...linesOf(await audit(config()))];
    await change(-1);
    expect(found).toContainEqual(expect.stringMatching(/^order-total .*its total is/));
  });

  unlessMissing(
    `payments of an account whose server was promoted wait until an operator has compared them${leftOut(missing)}`,
    async () => {
      const order = await place();
      const [home] = await ask<{ cluster: string }>(
        `SELECT (current_server()).cluster FROM orders WHERE account_id = '${ACCOUNT_A}' LIMIT 1`,
      );
      await ask(`UPDATE payments_gate SET timeline = timeline - 1 WHERE cluster = '${home?.cluster}'`);
      const pay = (): Promise<TestResponse> =>
        replica(1).send('POST', '/v1/payments', {
          key: uuidv7(),
          body: { orderId: order, amount: 2500, currency: 'EUR', source: 'tok_visa' },
        });
      const refused = await pay();
      const closed = await reconcile();
      await reconcile('open', '--note', 'promoted');
      expect([refused.status, refused.body['code'], (await pay()).status]).toEqual([503, 'service-unavailable', 201]);
      expect(closed.stdout).toContain(`of cluster ${home?.cluster}`);
    },
  );

  unlessMissing(`what has expired leaves the records for the archive, and is refused${leftOut(missing)}`, async () => {
    const key = uuidv7();
    const placed = await replica(0).send('POST', '/v1/orders', { key, body: ORDER });
    await ask(`UPDATE idempotency_records SET expires_at = now() - interval '1 hour' WHERE status = 'completed'`);
    await eventually('the purge', async () => (await ask(`SELECT FROM idempotency_records WHERE status = 'completed'`)).length === 0);
    const late = await replica(1).send('POST', '/v1/orders', { key, body: ORDER });
    expect([placed.status, late.status, late.body['code']]).toEqual([201, 410, 'idempotency-key-expired']);
    const [archived] = await ask<{ count: number }>(`SELECT count(*)::int AS count FROM idempotency_archive WHERE key = '${key}'`);
    expect(archived?.count).toBe(1);
  });
});
