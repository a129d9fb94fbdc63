import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getDataSourceToken } from '@nestjs/typeorm';
import { TypeID } from 'typeid-js';
import { DataSource } from 'typeorm';
import { generateApiKey, hasChecksum, hashSecret } from '../../src/accounts/api-key.js';
import { AUTHENTICATION, databaseOptions } from '../../src/database/data-source.js';
import { Account, ApiKey } from '../../src/accounts/account.entity.js';
import { AccountsService } from '../../src/accounts/accounts.service.js';
import { ApiKeyReader } from '../../src/accounts/api-key.reader.js';
import { addApiKey } from '../support/api-keys.js';
import { KEY_A, ORDER, atOnce, startWorld, tally, type TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, countOf } from '../support/ledger.js';
import { hold } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';

let world: Awaited<ReturnType<typeof startWorld>>;
let queries: jest.SpyInstance;
let provider: Provider;
beforeAll(async () => {
  provider = new Provider();
  const quick = { IDEMPOTENCY_RECOVERY_INTERVAL: '200ms', PROVIDER_TIMEOUT: '1500ms', IDEMPOTENCY_LEASE: '3s' };
  world = await startWorld({ TRUST_PROXY: '127.0.0.1', PROVIDER_URL: await provider.listen(), ...quick });
  queries = jest.spyOn(world.app.get<DataSource>(getDataSourceToken(AUTHENTICATION)), 'query');
});
beforeEach(() => queries.mockClear());
afterAll(async () => {
  await world.close();
  await provider.close();
});

/** Each from another address: what one address may fail is a matter of its own. */
let asked = 0;
const ask = (as: string): Promise<TestResponse> => {
  asked += 1;
  return world.send('GET', '/v1/orders', { as, headers: { 'x-forwarded-for': `10.0.${asked >> 8}.${asked & 255}` } });
};
const withoutChecksum = (): string => `hf_test_${new TypeID('key').getSuffix()}_${'f'.repeat(64)}`;

it('the id of a new key is a TypeID that ends in a checksum of the rest', () => {
  for (let n = 0; n < 1_000; n += 1) {
    const { id } = generateApiKey('test');
    expect(hasChecksum(id)).toBe(true);
    expect(TypeID.fromString(`key_${id}`).toUUID()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const at = n % 26;
    expect(hasChecksum(id.slice(0, at) + (id[at] === '0' ? '1' : '0') + id.slice(at + 1))).toBe(false);
  }
});

describe('who has no key costs the database next to nothing', () => {
  it('what is no key, or one of a known id with another secret: no query', async () => {
    expect((await ask(KEY_A)).status).toBe(200);
    queries.mockClear();
    const known = KEY_A.slice(0, -1);
    const answers = await atOnce(100, (n) => ask(n % 2 ? `${known}${n}` : `hf_test_${n}`));
    for (const answer of answers) expectProblem(answer, 'unauthenticated');
    expect(queries).not.toHaveBeenCalled();
  });

  it('made-up ids without a checksum: one look at the list of all, at most every two seconds', async () => {
    for (let round = 0; round < 3; round += 1) {
      const answers = await atOnce(100, () => ask(withoutChecksum()));
      for (const answer of answers) expectProblem(answer, 'unauthenticated');
    }
    expect(queries.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('made-up ids with a checksum: a few queries for all of them, and none for those that come again', async () => {
    const keys = Array.from({ length: 200 }, () => generateApiKey('test').text);
    const began = performance.now();
    for (const answer of await Promise.all(keys.map(ask))) expectProblem(answer, 'unauthenticated');
    // One look in 20 ms at most; a machine on which all this takes seconds has a look for several ids still.
    const looks = Math.min(100, Math.ceil((performance.now() - began) / 20) + 1);
    expect(queries.mock.calls.length).toBeLessThanOrEqual(looks);
    queries.mockClear();
    for (const answer of await Promise.all(keys.map(ask))) expectProblem(answer, 'unauthenticated');
    expect(queries).not.toHaveBeenCalled();
  });

  it('and they displace nobody: a key that is in use is still known after thousands of unknown ones', async () => {
    expect((await ask(KEY_A)).status).toBe(200);
    const authenticate = atOnce(50, async () => {
      for (let n = 0; n < 10; n += 1) await ask(generateApiKey('test').text);
    });
    expect(tally(await atOnce(20, () => ask(KEY_A)))).toEqual({ 200: 20 });
    await authenticate;
  });
});

it('what is listed for ids without a checksum are the few keys that may be such, however many others there are', async () => {
  await ask(withoutChecksum());
  const { listed, keys } = await listedKeys();
  const owner = await new DataSource(databaseOptions(world.database.url, 1, [Account, ApiKey])).initialize();
  const accounts = new AccountsService(owner);
  for (let n = 0; n < 5; n += 1) {
    await accounts.createKey('os:test', ACCOUNT_A, { mode: 'test', name: `many ${n}`, scopes: ['orders:read'], lifetimeMs: null });
  }
  await owner.destroy();
  expect(await listedKeys()).toEqual({ listed, keys: keys + 5 });
});

/** How many keys a look for an id without a checksum reads, and how many there are. */
async function listedKeys(): Promise<{ listed: number; keys: number }> {
  const reader = world.app.get(ApiKeyReader, { strict: false });
  queries.mockClear();
  // The list that is known may be two seconds old.
  await eventually('a new list', async () => {
    await reader.read(withoutChecksum().split('_')[2] ?? '');
    return queries.mock.calls.length > 0;
  });
  const [look] = queries.mock.results;
  const rows = await (look?.value as Promise<unknown[]> | undefined);
  return { listed: rows?.length ?? 0, keys: await countOf(world.database, 'api_keys') };
}

it('a new key opens at once, and so does one from before ids had a checksum', async () => {
  expect((await ask(await addApiKey(world.database, ['orders:read']))).status).toBe(200);
  const old = withoutChecksum();
  const [, , id = '', secret = ''] = old.split('_');
  await world.database.query(
    `INSERT INTO api_keys (id, account_id, name, secret_hash, scopes) VALUES ($1, $2, 'old', $3, '{orders:read}')`,
    [id, ACCOUNT_A, hashSecret(secret)],
  );
  // By now the list may be two seconds old.
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect((await ask(old)).status).toBe(200);
  await world.database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [id]);
  await new Promise((resolve) => setTimeout(resolve, 4_100));
  expectProblem(await ask(old), 'unauthenticated');
}, 20_000);

it('strangers who come without a pause neither keep the recoverer from what is interrupted nor a client from its answer', async () => {
  const { body: order } = await world.send('POST', '/v1/orders', { body: ORDER });
  const body = { orderId: order['id'], amount: order['total'], currency: order['currency'], source: 'tok_visa' };
  const { status, body: payment } = await world.send('POST', '/v1/payments', { body });
  expect(status).toBe(202);
  const end = new AbortController();
  let refused = 0;
  const strangers = atOnce(200, async () => {
    while (!end.signal.aborted) {
      await ask(refused % 2 ? generateApiKey('test').text : withoutChecksum());
      refused += 1;
    }
  });
  try {
    await eventually('strangers to be there', () => refused > 200);
    provider.answers = true;
    await world.database.query(`UPDATE idempotency_records SET next_run_at = clock_timestamp() WHERE status = 'running'`);
    await eventually('the recoverer to finish it, beside more strangers', async () => {
      const { body: now } = await world.send('GET', `/v1/payments/${payment['id']}`);
      return now['status'] === 'succeeded' && refused > 400;
    });
  } finally {
    end.abort();
    await strangers;
  }
});

/** A provider that cuts every connection, until it answers. */
class Provider {
  answers = false;
  private readonly server = createServer((request, response) => void this.serve(request, response));

  async listen(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.answers) return void request.socket.destroy();
    const charge = request.method === 'POST' ? (JSON.parse(await text(request)) as object) : undefined;
    response.writeHead(charge ? 201 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(charge ? { ...charge, id: 'ch_1', status: 'succeeded' } : { data: [] }));
  }
}

it('while API keys can’t be read, strangers wait alone: readiness, known keys and recovery have other connections', async () => {
  expect((await ask(KEY_A)).status).toBe(200);
  const held = await hold(world.database, 'LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
  try {
    const strangers = atOnce(50, () => ask(generateApiKey('test').text));
    expect((await world.send('GET', '/health/ready', { as: null })).status).toBe(200);
    expect((await ask(KEY_A)).status).toBe(200);
    await held.release();
    for (const answer of await strangers) expectProblem(answer, 'unauthenticated');
  } finally {
    await held.release();
  }
});
