import { v4 as uuidv4 } from 'uuid';
import { DataSource } from 'typeorm';
import { databaseOptions } from '../../src/database/data-source.js';
import { assertLeastPrivilege } from '../../src/database/least-privilege.js';
import type { TestResponse } from '../support/app.js';
import { startCluster, whyNoCitus, type Cluster } from '../support/citus.js';
import { on, prepare, urlsOf } from '../support/database.js';
import { leftOut } from '../support/debian.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A } from '../support/ledger.js';
import { hold } from '../support/locks.js';
import { startProcess, type ApiProcess } from '../support/process.js';

const DATABASE = 'orders';
const ORDER = { items: [{ productId: '123', quantity: 1 }] };
const missing = whyNoCitus();
const unlessMissing = missing === null ? it : it.skip;

describe('a cluster of three servers, with a replica on each', () => {
  let cluster: Cluster;
  let replicas: ApiProcess[];
  const ask = <Row>(text: string): Promise<Row[]> => on<Row>(cluster.url(DATABASE), text);

  beforeAll(async () => {
    if (missing !== null) return;
    cluster = await startCluster();
    await cluster.create(DATABASE);
    await prepare(cluster.url(DATABASE));
    replicas = [];
    expect(await cluster.spread(DATABASE)).toContain('orders');
    for (const url of cluster.urls(DATABASE)) replicas.push(await startProcess(url));
  });
  afterAll(async () => {
    if (missing !== null) return;
    await Promise.all(replicas.map((replica) => replica.kill('SIGKILL')));
    await cluster.stop();
  });

  /** Sends until the answer is final, to the next replica each time. */
  async function obtain(key: string, first: number): Promise<TestResponse> {
    for (let at = first; ; at += 1) {
      const answer = await replicas[at % replicas.length]?.send('POST', '/v1/orders', { key, body: ORDER }).catch(() => undefined);
      if (answer && answer.body['retry'] !== 'same-key') return answer;
    }
  }

  unlessMissing(`what is spread stays so, also over a migration${leftOut(missing)}`, async () => {
    await prepare(cluster.url(DATABASE));
    expect(await cluster.spread(DATABASE)).toEqual([]);
    expect(await ask(`SELECT FROM pg_class WHERE relrowsecurity AND relname = 'orders'`)).toEqual([]);
  });

  unlessMissing(`in production the API does not start there: no policy shows it one account alone${leftOut(missing)}`, async () => {
    const [, second = ''] = cluster.urls(DATABASE);
    const api = await new DataSource(databaseOptions(urlsOf(second).databaseUrl, 1)).initialize();
    await expect(assertLeastPrivilege(api, { production: true }).finally(() => api.destroy())).rejects.toThrow(
      /row-level security does not act/,
    );
  });

  unlessMissing(`one order for each key, and one answer, whichever servers its copies enter by${leftOut(missing)}`, async () => {
    const keys = Array.from({ length: 40 }, () => uuidv4());
    const answers = await Promise.all(keys.map((key) => Promise.all([0, 1, 2].map((at) => obtain(key, at)))));
    for (const copies of answers) {
      expect(copies.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(new Set(copies.map(({ text }) => text)).size).toBe(1);
    }
    expect(await ask(`SELECT count(*)::int AS orders, count(DISTINCT o.id)::int AS ids FROM orders o`)).toEqual([{ orders: 40, ids: 40 }]);
    expect(await ask('SELECT count(*)::int AS records FROM idempotency_records')).toEqual([{ records: 40 }]);
  });

  unlessMissing(`while a key is in one server's hands, every server says so at once${leftOut(missing)}`, async () => {
    const product = await hold({ url: cluster.url(DATABASE) }, 'SELECT FROM products WHERE account_id = $1 AND id = $2 FOR UPDATE', [
      ACCOUNT_A,
      '123',
    ]);
    const key = uuidv4();
    const first = replicas[0]?.send('POST', '/v1/orders', { key, body: ORDER });
    await eventually('the key to be taken', async () => {
      const locks = cluster.urls(DATABASE).map((url) => on(url, `SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted`));
      return (await Promise.all(locks)).flat().length > 0;
    });
    for (const replica of replicas.slice(1)) {
      const busy = await replica.send('POST', '/v1/orders', { key, body: ORDER });
      expect([busy.status, busy.body['code']]).toEqual([409, 'idempotency-request-in-progress']);
    }
    await product.release();
    const placed = await first;
    expect(placed?.status).toBe(201);
    expect((await replicas[1]?.send('POST', '/v1/orders', { key, body: ORDER }))?.text).toBe(placed?.text);
  });

  unlessMissing(`the same key with another request is told so by every server${leftOut(missing)}`, async () => {
    const key = uuidv4();
    await obtain(key, 0);
    for (const replica of replicas) {
      const answer = await replica.send('POST', '/v1/orders', { key, body: { items: [{ productId: '123', quantity: 2 }] } });
      expect([answer.status, answer.body['code']]).toEqual([422, 'idempotency-key-reused']);
    }
  });

  unlessMissing(`a replica that is killed leaves one order, and another server has the answer${leftOut(missing)}`, async () => {
    const before = await ask<{ count: number }>('SELECT count(*)::int AS count FROM orders');
    const keys = Array.from({ length: 20 }, () => uuidv4());
    const under = Promise.all(keys.map((key) => obtain(key, 2)));
    await replicas[2]?.kill('SIGKILL');
    const answers = await under;
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 201));
    const after = await ask<{ count: number }>('SELECT count(*)::int AS count FROM orders');
    expect((after[0]?.count ?? 0) - (before[0]?.count ?? 0)).toBe(20);
  });
});
