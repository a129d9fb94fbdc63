import { v4 as uuidv4 } from 'uuid';
import { DataSource } from 'typeorm';
import { databaseOptions } from '../../src/database/data-source.js';
import { distribute } from '../../src/database/distribute.js';
import { assertLeastPrivilege } from '../../src/database/least-privilege.js';
import type { TestResponse } from '../support/app.js';
import { startCluster, whyNoCitus, type Cluster } from '../support/citus.js';
import { on, prepare, urlsOf } from '../support/database.js';
import { leftOut } from '../support/debian.js';
import { startProcess, type ApiProcess } from '../support/process.js';

const ORDER = { items: [{ productId: '123', quantity: 1 }] };
const missing = whyNoCitus();
const unlessMissing = missing === null ? it : it.skip;

describe('a cluster of three servers, with a replica on each', () => {
  let cluster: Cluster;
  let replicas: ApiProcess[];
  const ask = <Row>(text: string): Promise<Row[]> => on<Row>(cluster.urls[0] ?? '', text);

  beforeAll(async () => {
    if (missing !== null) return;
    cluster = await startCluster();
    await prepare(cluster.urls[0] ?? '');
    replicas = [];
    expect(await spread()).toContain('orders');
    for (const url of cluster.urls) replicas.push(await startProcess(url));
  });
  afterAll(async () => {
    if (missing !== null) return;
    await Promise.all(replicas.map((replica) => replica.kill('SIGKILL')));
    await cluster.stop();
  });

  async function spread(): Promise<string[]> {
    const owner = await new DataSource(databaseOptions(cluster.urls[0] ?? '', 1)).initialize();
    return distribute(owner).finally(() => owner.destroy());
  }

  /** Sends until the answer is final, to the next replica each time. */
  async function obtain(key: string, first: number): Promise<TestResponse> {
    for (let at = first; ; at += 1) {
      const answer = await replicas[at % replicas.length]?.send('POST', '/v1/orders', { key, body: ORDER }).catch(() => undefined);
      if (answer && answer.body['retry'] !== 'same-key') return answer;
    }
  }

  unlessMissing(`what is spread stays so, also over a migration${leftOut(missing)}`, async () => {
    await prepare(cluster.urls[0] ?? '');
    expect(await spread()).toEqual([]);
    expect(await ask(`SELECT FROM pg_class WHERE relrowsecurity AND relname = 'orders'`)).toEqual([]);
  });

  unlessMissing(`in production the API does not start there: no policy shows it one account alone${leftOut(missing)}`, async () => {
    const api = await new DataSource(databaseOptions(urlsOf(cluster.urls[1] ?? '').databaseUrl, 1)).initialize();
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
