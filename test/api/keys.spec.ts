import { v7 as uuidv7 } from 'uuid';
import { readArguments } from '../../src/accounts/keys.arguments.js';
import { UsageError } from '../../src/kernel/cli.js';
import { ORDER, send, startApp, type TestApp, type TestRequest, type TestResponse } from '../support/app.js';
import { run, start, type Ended, type Running } from '../support/built-process.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';

/** Revocation is effective everywhere within this time. */
const REVOKED_WITHIN = 5_000;

let database: TestDatabase;
/** Two replicas: one in this process, one as it runs in production, with all that it logs. */
let near: TestApp;
let far: Running & { url: string };
const secrets: string[] = [];

beforeAll(async () => {
  database = await createMigratedDatabase();
  near = await startApp(database);
  const env = { NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'trace', ...database.env };
  const process = start('src/main.js', [], env);
  far = { ...process, url: await listening(process) };
});

afterAll(async () => {
  await near?.close();
  await far?.stop();
  await database?.drop();
});

async function listening(process: Running): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const [, url] = /listening on (http:\/\/[\d.:]+)/.exec(process.output()) ?? [];
    if (url) return url;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`the replica did not start: ${process.output()}`);
}

function cli(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return run('src/accounts/keys.cli.js', args, { NODE_ENV: 'test', ...database.env, ...env });
}

interface MadeKey {
  text: string;
  /** key_… */
  id: string;
  /** acct_… */
  account: string;
}

async function make(...args: string[]): Promise<MadeKey> {
  const { code, stdout, stderr } = await cli(args);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const [, text = '', id] = /^(hf_test_([0-9a-z]{26})_[0-9a-f]{64})\n$/.exec(stdout) ?? [];
  expect(stdout).toBe(`${text}\n`);
  secrets.push(text.slice(-64));
  return { text, id: `key_${id}`, account: /acct_[0-9a-z]{26}/.exec(stderr)?.[0] ?? '' };
}

const create = (scopes: string, ...more: string[]) => make('create', '--new-account', 'Test', '--name', 'n', '--scopes', scopes, ...more);

/** The same request at the other replica. */
function sendFar(method: string, path: string, request: TestRequest): Promise<TestResponse> {
  return send(far.url, method, path, request);
}

describe('a created key', () => {
  it('works at once, on every replica, in an account of its own', async () => {
    const { text } = await create('orders:read,orders:write');
    const key = uuidv7();
    const placed = await near.send('POST', '/v1/orders', { as: text, key, body: ORDER });
    expect(placed.status).toBe(201);
    const replayed = await sendFar('POST', '/v1/orders', { as: text, key, body: ORDER });
    expect([replayed.status, replayed.text, replayed.headers.get('idempotent-replayed')]).toEqual([201, placed.text, 'true']);
    expect((await near.send('GET', placed.headers.get('location') ?? '')).status).toBe(404);
  });

  it('joins an account that exists', async () => {
    const first = await create('orders:write');
    const second = await make('create', '--account', first.account, '--name', 'second', '--scopes', 'orders:read');
    expect(second.account).toBe(first.account);
    const placed = await near.send('POST', '/v1/orders', { as: first.text, body: ORDER });
    expect((await near.send('GET', placed.headers.get('location') ?? '', { as: second.text })).status).toBe(200);
  });

  it('opens what its scopes name, and nothing else', async () => {
    const { text } = await create('orders:read');
    expect((await near.send('GET', '/v1/orders', { as: text })).status).toBe(200);
    for (const response of [
      await near.send('POST', '/v1/orders', { as: text, body: ORDER }),
      await near.send('GET', '/v1/tickets', { as: text }),
    ]) {
      expect([response.status, response.body['code']]).toEqual([403, 'insufficient-scope']);
    }
  });

  it('opens nothing without scopes, and says so', async () => {
    const { stdout, stderr } = await cli(['create', '--new-account', 'Test', '--name', 'none']);
    expect(stderr).toMatch(/no scopes/);
    for (const path of ['/v1/orders', '/v1/products', '/v1/tickets', '/v1/operations']) {
      expect([path, (await near.send('GET', path, { as: stdout.trim() })).status]).toEqual([path, 403]);
    }
  });

  it('opens everything with all of them', async () => {
    const { text } = await create('all');
    expect((await near.send('POST', '/v1/orders', { as: text, body: ORDER })).status).toBe(201);
    expect((await near.send('GET', '/v1/operations', { as: text })).status).toBe(200);
  });

  it('is a live one in production', async () => {
    const { stdout } = await cli(['create', '--new-account', 'Test', '--name', 'n', '--scopes', 'all'], {
      NODE_ENV: 'production',
      PROVIDER: 'sandbox',
    });
    expect(stdout).toMatch(/^hf_live_[0-9a-z]{26}_[0-9a-f]{64}\n$/);
  });

  it('ends by itself', async () => {
    const { text } = await create('orders:read', '--expires', '8s');
    expect((await near.send('GET', '/v1/orders', { as: text })).status).toBe(200);
    await new Promise((wake) => setTimeout(wake, 8_200));
    for (const answer of [await near.send('GET', '/v1/orders', { as: text }), await sendFar('GET', '/v1/orders', { as: text })]) {
      expect([answer.status, answer.body['code']]).toEqual([401, 'unauthenticated']);
    }
  });
});

describe('rotation', () => {
  it('lets both keys live during the overlap, and a retry with the new one replays', async () => {
    const old = await create('orders:write');
    const key = uuidv7();
    const placed = await near.send('POST', '/v1/orders', { as: old.text, key, body: ORDER });
    const successor = await make('rotate', old.id, '--overlap', '1h');
    expect(successor.account).toBe(old.account);
    for (const as of [old.text, successor.text]) {
      const retry = await sendFar('POST', '/v1/orders', { as, key, body: ORDER });
      expect([retry.status, retry.text, retry.headers.get('idempotent-replayed')]).toEqual([201, placed.text, 'true']);
    }
    // The scopes went with it.
    expect((await near.send('GET', '/v1/orders', { as: successor.text })).status).toBe(403);
  });

  it('ends the old key with the overlap', async () => {
    const old = await create('orders:read');
    expect((await near.send('GET', '/v1/orders', { as: old.text })).status).toBe(200);
    const successor = await make('rotate', old.id, '--overlap', '0s');
    await refusedInTime(old.text);
    expect((await near.send('GET', '/v1/orders', { as: successor.text })).status).toBe(200);
  });

  it('does not lengthen the life of the old key', async () => {
    const old = await create('orders:read', '--expires', '1h');
    await make('rotate', old.id, '--overlap', '2h');
    const [row] = await database.query<{ soon: boolean }>(
      `SELECT expires_at < clock_timestamp() + interval '61 minutes' AS soon FROM api_keys WHERE id = $1`,
      [old.id.slice(4)],
    );
    expect(row?.soon).toBe(true);
  });
});

/** Both replicas refuse the key within five seconds from now. */
async function refusedInTime(text: string): Promise<void> {
  const until = performance.now() + REVOKED_WITHIN;
  const statuses = async () => [
    (await near.send('GET', '/v1/orders', { as: text })).status,
    (await sendFar('GET', '/v1/orders', { as: text })).status,
  ];
  let last = await statuses();
  while (last.some((status) => status !== 401) && performance.now() < until) {
    await new Promise((wake) => setTimeout(wake, 50));
    last = await statuses();
  }
  expect(last).toEqual([401, 401]);
}

it('a revoked key is refused within five seconds on both replicas, and gets no replay', async () => {
  const { text, id } = await create('orders:read,orders:write');
  const key = uuidv7();
  // Both replicas know the key by now, and keep the answer.
  expect((await near.send('POST', '/v1/orders', { as: text, key, body: ORDER })).status).toBe(201);
  expect((await sendFar('POST', '/v1/orders', { as: text, key, body: ORDER })).status).toBe(201);
  expect((await cli(['revoke', id])).code).toBe(0);
  await refusedInTime(text);
  for (const answer of [
    await near.send('POST', '/v1/orders', { as: text, key, body: ORDER }),
    await sendFar('POST', '/v1/orders', { as: text, key, body: ORDER }),
  ]) {
    expect([answer.status, answer.body['code'], answer.headers.get('idempotent-replayed')]).toEqual([401, 'unauthenticated', null]);
    expect(answer.headers.get('operation-id')).toBeNull();
  }
});

it('a forged secret is answered like an unknown key', async () => {
  const { text } = await create('orders:read');
  const flipped = text.endsWith('0') ? '1' : '0';
  const presented = [text.slice(0, -1) + flipped, text.slice(0, -1), `hf_test_${'0'.repeat(26)}_${'f'.repeat(64)}`, 'nonsense'];
  const answers = await Promise.all(presented.map((as) => near.send('GET', '/v1/orders', { as })));
  const shapes = answers.map(({ status, headers, body }) => ({
    status,
    body: { ...body, requestId: undefined },
    challenge: headers.get('www-authenticate'),
  }));
  expect(shapes[0]?.status).toBe(401);
  for (const shape of shapes) expect(shape).toEqual(shapes[0]);
});

describe('the command line', () => {
  it('lists ids, accounts, scopes and times, and no secret', async () => {
    const { account, id } = await create('tickets:read', '--expires', '30d');
    await make('rotate', id);
    await cli(['revoke', id]);
    const { code, stdout } = await cli(['list', '--account', account]);
    expect(code).toBe(0);
    const [head, old, successor, ...more] = stdout.trimEnd().split('\n');
    expect(head?.split(/ +/)).toEqual(['KEY', 'ACCOUNT', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'REVOKED']);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    expect(old?.split(/ +/)).toEqual([id, account, 'n', 'tickets:read', time, time, time]);
    expect(successor?.split(/ +/)).toEqual([expect.stringMatching(/^key_/), account, 'n', 'tickets:read', time, '-', '-']);
    expect(more).toEqual([]);
    const all = await cli(['list']);
    for (const secret of secrets) expect(all.stdout + all.stderr).not.toContain(secret);
  });

  it.each([
    ['an unknown account', ['create', '--account', `acct_${'0'.repeat(26)}`, '--name', 'n'], /no such account/],
    ['keys of an unknown account', ['list', '--account', `acct_${'0'.repeat(26)}`], /no such account/],
    ['rotating an unknown key', ['rotate', `key_${'0'.repeat(26)}`], /no live key/],
    ['revoking an unknown key', ['revoke', `key_${'0'.repeat(26)}`], /no key with this id/],
  ])('%s ends with 1 and a sentence', async (_, args, sentence) => {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stdout, stderr.trimEnd().split('\n')]).toEqual([1, '', [expect.stringMatching(sentence)]]);
  });

  it('a key that has ended can’t be rotated or revoked again', async () => {
    const { id } = await create('orders:read');
    expect((await cli(['revoke', id])).code).toBe(0);
    expect((await cli(['revoke', id])).code).toBe(1);
    expect((await cli(['rotate', id])).code).toBe(1);
  });

  it('a database that does not answer ends with 1 and a sentence without its password', async () => {
    const { code, stderr } = await cli(['list'], { DATABASE_OWNER_URL: 'postgres://holdfast:hunter2@127.0.0.1:1/holdfast' });
    expect([code, stderr]).toEqual([
      1,
      'The database of DATABASE_OWNER_URL cannot be used: nothing listens at its address (127.0.0.1:1).\n',
    ]);
  });

  it.each([
    ['an unknown command', ['make']],
    ['an unknown option', ['list', '--hunter2']],
    ['an option without its value', ['create', '--name']],
    ['no account', ['create', '--name', 'n']],
    ['two accounts', ['create', '--account', `acct_${'0'.repeat(26)}`, '--new-account', 'x', '--name', 'n']],
    ['no account’s id', ['create', '--account', 'acct_1', '--name', 'n']],
    ['no name', ['create', '--new-account', 'x']],
    ['a name that would move the cursor', ['create', '--new-account', 'x', '--name', '\u001b[2J']],
    ['an unknown scope', ['create', '--new-account', 'x', '--name', 'n', '--scopes', 'orders:read,orders:delete']],
    ['no time', ['create', '--new-account', 'x', '--name', 'n', '--expires', 'soon']],
    ['no key', ['rotate']],
    ['two keys', ['revoke', `key_${'0'.repeat(26)}`, `key_${'0'.repeat(26)}`]],
    ['a whole key in place of its id', ['revoke', `hf_test_${'0'.repeat(26)}_0123456789abcdef`]],
  ])('%s is refused before anything is opened, and never repeated', (_, args) => {
    const read = () => readArguments(args);
    expect(read).toThrow(UsageError);
    expect(read).not.toThrow(/0123456789abcdef|hunter2/);
  });

  it('a wrong command line ends with 64 and the usage', async () => {
    const { code, stdout, stderr } = await cli(['revoke', `hf_test_${'0'.repeat(26)}_0123456789abcdef`]);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^The key must be named by its id.*\n\nUsage: npm run keys/);
    expect(stderr).not.toContain('0123456789abcdef');
  });
});

// Last: by now the replica has seen every kind of key, good and bad, and logs at its most talkative level.
it('nothing that proves an identity is logged or stored', async () => {
  expect(far.output()).toContain('listening');
  expect(secrets.length).toBeGreaterThan(8);
  for (const secret of secrets) expect(far.output()).not.toContain(secret);
  const rows = await database.query<{ row: string }>('SELECT k::text AS row FROM api_keys k');
  for (const secret of secrets) expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
});
