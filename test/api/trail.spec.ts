import { userInfo } from 'node:os';
import { v7 as uuidv7 } from 'uuid';
import { generateApiKey } from '../../src/accounts/api-key.js';
import { publicId } from '../../src/kernel/ids.js';
import { KEY_A, ORDER, atOnce } from '../support/app.js';
import { addApiKey } from '../support/api-keys.js';
import { run } from '../support/built-process.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A } from '../support/ledger.js';
import { startProcess, type ApiProcess } from '../support/process.js';

type Line = Record<string, unknown>;

let database: TestDatabase;
let api: ApiProcess;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
// One for each test: what is told once in an interval is told anew.
beforeEach(async () => {
  api = await startProcess(database.url, { LOG_LEVEL: 'info', TRUST_PROXY: '127.0.0.1' });
});
afterEach(() => api.kill('SIGTERM'));
afterAll(() => database?.drop());

const jsonLines = (lines: string[]): Line[] => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
const acts = (name?: string): Line[] =>
  jsonLines(api.log()).filter(({ context, act }) => context === 'Trail' && (name === undefined || act === name));
const from = (address: string) => ({ 'x-forwarded-for': address });
const idOf = (key: string): string => `key_${key.split('_')[2]}`;
const account = publicId('acct', ACCOUNT_A);

/** The line of the request with this X-Request-Id. */
async function lineOf(requestId: string): Promise<Line> {
  const find = (): Line | undefined => jsonLines(api.log()).find((line) => line['msg'] === 'request' && line['requestId'] === requestId);
  await eventually('the line of the request', () => Promise.resolve(find() !== undefined));
  return find() ?? {};
}

describe('the line of a request', () => {
  it('names the account, the API key by its id, and the client’s address', async () => {
    const headers = { 'x-request-id': 'known', ...from('203.0.113.7') };
    expect((await api.send('POST', '/v1/orders', { headers, body: ORDER })).status).toBe(201);
    expect(await lineOf('known')).toMatchObject({ accountId: account, keyId: idOf(KEY_A), address: '203.0.113.7', status: 201 });
    expect(api.log().join('\n')).not.toContain(KEY_A.split('_')[3]);
  });

  it('names them where the scope is missing too, and the address alone where nobody is known', async () => {
    const key = await addApiKey(database, ['orders:read']);
    await api.send('POST', '/v1/orders', { as: key, headers: { 'x-request-id': 'refused' }, body: ORDER });
    expect(await lineOf('refused')).toMatchObject({ accountId: account, keyId: idOf(key), address: '127.0.0.1', status: 403 });
    await api.send('GET', '/v1/orders', { as: null, headers: { 'x-request-id': 'stranger', ...from('203.0.113.8') } });
    const stranger = await lineOf('stranger');
    expect(stranger).toMatchObject({ address: '203.0.113.8', status: 401 });
    expect([stranger['accountId'], stranger['keyId']]).toEqual([undefined, undefined]);
  });
});

describe('the trail', () => {
  it('says why an authentication failed, with the key’s id where the key has one', async () => {
    const [live, revoked, unknown] = [await addApiKey(database, []), await addApiKey(database, [], 'revoked'), generateApiKey('test').text];
    const wrong = `${live.slice(0, -64)}${'0'.repeat(64)}`;
    const presented: [string | null, string, string | undefined][] = [
      [null, 'no-key', undefined],
      ['nonsense', 'malformed', undefined],
      [unknown, 'unknown-key', idOf(unknown)],
      [revoked, 'unknown-key', idOf(revoked)],
      [wrong, 'wrong-secret', idOf(live)],
    ];
    for (const [at, [as]] of presented.entries()) {
      expect((await api.send('GET', '/v1/orders', { as, headers: from(`198.51.100.${at}`) })).status).toBe(401);
    }
    await eventually('the lines', () => Promise.resolve(acts('authentication.failed').length === presented.length));
    expect(acts('authentication.failed').map(({ level, address, reason, keyId }) => [level, address, reason, keyId])).toEqual(
      presented.map(([, reason, keyId], at) => [40, `198.51.100.${at}`, reason, keyId]),
    );
    for (const text of [unknown, revoked, wrong]) expect(api.log().join('\n')).not.toContain(text.split('_')[3]);
  });

  it('tells the first failure of an address and counts the others, and is not flooded by many addresses', async () => {
    const fail = (address: string) => api.send('GET', '/v1/orders', { as: null, headers: from(address) });
    await fail('198.51.100.1');
    await atOnce(20, () => fail('198.51.100.1'));
    await atOnce(120, (n) => fail(`203.0.113.${n}`));
    await api.kill('SIGTERM');
    const told = acts('authentication.failed');
    expect([told.length, told.filter(({ address }) => address === '198.51.100.1').length]).toEqual([100, 1]);
    expect(acts('authentication.failures-counted').map(({ address, failures }) => [address, failures])).toEqual([
      ['198.51.100.1', 20],
      // 120 further addresses, 99 of which were told apart.
      [undefined, 21],
    ]);
  });

  it('tells the first use of a key by an address', async () => {
    for (const address of ['203.0.113.1', '203.0.113.1', '203.0.113.2', '203.0.113.1']) {
      await api.send('GET', '/v1/orders', { headers: from(address) });
    }
    await api.kill('SIGTERM');
    const who = { accountId: account, keyId: idOf(KEY_A) };
    expect(acts('authentication.succeeded')).toEqual([
      expect.objectContaining({ ...who, address: '203.0.113.1' }),
      expect.objectContaining({ ...who, address: '203.0.113.2' }),
    ]);
  });

  it('tells which scope a key lacked', async () => {
    const key = await addApiKey(database, ['orders:read']);
    await api.send('POST', '/v1/orders', { as: key, headers: { 'x-request-id': 'wants-more' }, body: ORDER });
    await eventually('the line', () => Promise.resolve(acts('scope.refused').length > 0));
    expect(acts('scope.refused')).toEqual([
      expect.objectContaining({
        level: 40,
        accountId: account,
        keyId: idOf(key),
        address: '127.0.0.1',
        scope: 'orders:write',
        requestId: 'wants-more',
      }),
    ]);
  });
});

it('the trail tells who had a key sealed, or asked again, and of none that was in use', async () => {
  const [sealed, used] = [uuidv7(), uuidv7()];
  await api.send('POST', '/v1/orders', { key: used, body: ORDER });
  for (const [idempotencyKey, requestId] of [
    [sealed, 'seals'],
    [sealed, 'seals-again'],
    [used, 'too-late'],
  ]) {
    const headers = { 'x-request-id': String(requestId), ...from('203.0.113.9') };
    expect((await api.send('POST', '/v1/operations/seal', { key: null, headers, body: { idempotencyKey } })).status).toBe(200);
  }
  await lineOf('too-late');
  const common = { level: 30, accountId: account, keyId: idOf(KEY_A), address: '203.0.113.9' };
  expect(acts('key.sealed')).toEqual([
    expect.objectContaining({ ...common, requestId: 'seals' }),
    expect.objectContaining({ ...common, requestId: 'seals-again' }),
  ]);
  expect(api.log().join('\n')).not.toContain(sealed);
});

describe('npm run keys', () => {
  const actor = `os:${userInfo().username}`;

  /** Runs the command; the acts that it wrote, and the key that it printed. */
  async function keys(...args: string[]): Promise<{ acts: Line[]; key: string }> {
    const ended = await run('src/accounts/keys.cli.js', args, { NODE_ENV: 'test', DATABASE_URL: database.url });
    const key = ended.stdout.trim();
    // The key alone on standard output, and its secret nowhere else.
    if (key !== '') expect([ended.stdout, ended.stderr.includes(key.slice(-64))]).toEqual([`${key}\n`, false]);
    return { acts: jsonLines(ended.stderr.split('\n')), key };
  }

  it('tells what was done to keys and by whom, and nothing of what was not', async () => {
    const made = await keys('create', '--new-account', 'Trail', '--name', 'n', '--scopes', 'orders:read');
    const accountId = made.acts[0]?.['accountId'];
    expect(accountId).toMatch(/^acct_/);
    const common = { level: 30, context: 'Trail', actor, accountId };
    expect(made.acts).toEqual([
      { ...common, act: 'account.created', time: expect.any(String) },
      { ...common, act: 'key.created', keyId: idOf(made.key), scopes: ['orders:read'], time: expect.any(String) },
    ]);
    const rotated = await keys('rotate', idOf(made.key), '--overlap', '1h');
    expect(rotated.acts).toEqual([
      {
        ...common,
        act: 'key.rotated',
        keyId: idOf(made.key),
        successorId: idOf(rotated.key),
        overlapMs: 3_600_000,
        time: expect.any(String),
      },
    ]);
    const revoked = await keys('revoke', idOf(rotated.key));
    expect(revoked.acts).toEqual([{ ...common, act: 'key.revoked', keyId: idOf(rotated.key), time: expect.any(String) }]);
    expect((await keys('revoke', idOf(rotated.key))).acts).toEqual([]);
    expect((await keys('revoke', `key_${uuidv7().replaceAll('-', '').slice(0, 26)}`)).acts).toEqual([]);
  });
});
