/*
 * Makes rows.json: what a release has written when it was asked these things, and what it answered. The release is one that is built in a
 * directory of its own:
 *
 *   git worktree add /tmp/earlier ffa705c && cd /tmp/earlier && npm ci && npm run build
 *   node test/database/earlier-release/make.mjs /tmp/earlier
 *
 * Two payments are interrupted by a SIGKILL: one whose charge the provider has, and one that never reached it. One record has expired, and
 * one was purged.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';

/** Of the tests, in test/support/keys.ts. */
const API_KEY = `hf_test_${'a'.repeat(26)}_secretofaccounta`;
const TABLES =
  'accounts api_keys products orders order_items tickets payments refunds idempotency_records idempotency_timeline idempotency_archive';
const STORED = ['content-type', 'location', 'etag', 'operation-id', 'link'];

const dist = resolve(process.argv[2] ?? '', 'dist');
const { startEmbeddedPostgres } = await import(pathToFileURL(join(dist, 'local/embedded-postgres.js')).href);
const directory = mkdtempSync(join(tmpdir(), 'holdfast-earlier-'));
chmodSync(directory, 0o755);
const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), port: 0, databases: ['earlier', 'sandbox'] });
const database = new Client(server.url('earlier'));
await database.connect();
const query = async (text, values = []) => (await database.query(text, values)).rows;

/** Starts a script of the release; resolves to its address and its process. */
function start(script, env) {
  const common = { LOG_LEVEL: 'fatal', NODE_ENV: 'test', PROVIDER_TIMEOUT: '2s', IDEMPOTENCY_LEASE: '3s', DEMO_API_KEY: API_KEY };
  const child = spawn(process.execPath, [join(dist, script)], {
    env: { ...common, ...env },
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise((done) => child.once('close', done));
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return new Promise((done, fail) => {
    child.on('message', ({ ready }) => ready && done({ url: ready.url, child, kill }));
    void ended.then(() => fail(new Error(`${script} has ended`)));
  });
}

const startSandbox = (port) => start('sandbox/main.js', { SANDBOX_PORT: String(port), SANDBOX_DATABASE_URL: server.url('sandbox') });
const sandbox = await startSandbox(0);
const provider = sandbox.url;
const env = { PORT: '0', DATABASE_URL: server.url('earlier'), PROVIDER_URL: provider, IDEMPOTENCY_PURGE_INTERVAL: '100ms' };
let api = await start('src/main.js', env);

const asked = [];
/** Sends a request under the key, and remembers both it and its answer under a name that says what it is to be. */
async function ask(is, key, method, path, body, headers = {}) {
  const own = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json', 'idempotency-key': key, prefer: 'wait=20' };
  const request = { method, headers: { ...own, ...headers }, body: JSON.stringify(body) };
  const response = await fetch(`${api.url}${path}`, request);
  const text = await response.text();
  const stored = Object.fromEntries(STORED.flatMap((name) => (response.headers.has(name) ? [[name, response.headers.get(name)]] : [])));
  asked.push({ is, request: { method, path, key, body, headers }, answer: { status: response.status, text, headers: stored } });
  return JSON.parse(text);
}
const place = async (key, quantity = 1) => ask('completed', key, 'POST', '/v1/orders', { items: [{ productId: '123', quantity }] });
const paymentOf = ({ id, total, currency }, source) => ({ orderId: id, amount: total, currency, source });
const until = async (holds) => {
  while (!(await holds())) await sleep(20);
};
const ledger = async () => (await fetch(`${provider}/ledger`)).json();

const order = await ask('completed', 'earlier-order', 'POST', '/v1/orders', {
  items: [{ quantity: 2, productId: '123' }],
  metadata: { z: 'Straße ✓', a: '' },
  customerReference: null,
});
await ask(
  'completed',
  'earlier-order-with-If-Match',
  'POST',
  '/v1/orders',
  { items: [{ productId: 'rope-10m', quantity: 1 }] },
  { 'if-match': '"7"' },
);
await ask('completed', 'earlier-change', 'PATCH', `/v1/orders/${order.id}`, { customerReference: 'changed' }, { 'if-match': '"1"' });
await ask('completed', 'earlier-stale-change', 'PATCH', `/v1/orders/${order.id}`, { customerReference: 'again' }, { 'if-match': '"1"' });
await ask('completed', 'earlier-unknown-product', 'POST', '/v1/orders', { items: [{ productId: 'nothing', quantity: 1 }] });
await ask('completed', 'earlier-lack', 'POST', '/v1/orders', { items: [{ productId: 'anchor-small', quantity: 1000 }] });
await ask('completed', 'earlier-ticket', 'POST', '/v1/tickets', { subject: 'Hello', description: 'Is it there?', priority: 'high' });
await ask('completed', 'earlier-decline', 'POST', '/v1/payments', paymentOf(order, 'tok_declined'));
const payment = await ask('completed', 'earlier-payment', 'POST', '/v1/payments', paymentOf(order, 'tok_visa'));
await ask('completed', 'earlier-refund', 'POST', `/v1/payments/${payment.id}/refunds`, { amount: 100, reason: 'scratched' });
const cancelled = await place('earlier-order-to-cancel');
await ask('completed', 'earlier-cancellation', 'POST', `/v1/orders/${cancelled.id}/cancel`, {});
await place('earlier-archived-order');
asked.at(-1).is = 'archived';
await query(`UPDATE idempotency_records SET expires_at = now() - interval '1 hour' WHERE key = 'earlier-archived-order'`);
await until(async () => (await query('SELECT FROM idempotency_archive')).length === 1);
await place('earlier-expired-order');
asked.at(-1).is = 'expired';

/** Kills the API once the payment has come so far that `holds` says so. */
async function interrupt(is, key, of, source, holds) {
  const request = { method: 'POST', path: '/v1/payments', key, body: paymentOf(of, source), headers: {} };
  const lost = ask('', key, 'POST', request.path, request.body).catch(() => undefined);
  await until(holds);
  await api.kill();
  await lost;
  asked.push({ is, request, answer: null });
}
const isRunning = async (key) => (await query(`SELECT FROM idempotency_records WHERE key = $1 AND status = 'running'`, [key])).length === 1;
const [one, other] = [await place('earlier-order-charged-in-vain', 3), await place('earlier-order-never-charged', 4)];
const before = (await ledger()).charges.length;
await interrupt('charged', 'earlier-interrupted-payment', one, 'tok_hang_after', async () => (await ledger()).charges.length > before);
const charge = (await ledger()).charges.at(-1);
api = await start('src/main.js', { ...env, IDEMPOTENCY_RECOVERY_INTERVAL: '1m' });
sandbox.child.kill('SIGSTOP');
await interrupt('not charged', 'earlier-payment-under-way', other, 'tok_visa', () => isRunning('earlier-payment-under-way'));
await sandbox.kill();
// Whoever held an operation holds it no more.
await sleep(4_000);

await query(`UPDATE idempotency_records SET expires_at = now() - interval '1 hour' WHERE key = 'earlier-expired-order'`);
const rows = {};
for (const table of TABLES.split(' ')) rows[table] = (await query(`SELECT to_json(t) AS row FROM ${table} t`)).map(({ row }) => row);
const [{ now }] = await query('SELECT now()');
const { key, reference, amount, currency, source } = charge;
const made = { madeAt: now, asked, charge: { key, reference, amount, currency, source }, rows };
writeFileSync(join(import.meta.dirname, 'rows.json'), `${JSON.stringify(made, null, 2)}\n`);

await database.end();
await server.stop();
rmSync(directory, { recursive: true, force: true });
