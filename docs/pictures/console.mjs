// Takes the pictures of the console: `npm run pictures`, or `node docs/pictures/console.mjs` after a build, into this folder or the
// directory that is named. It starts a Holdfast of its own with an empty database, sends it requests for about a minute, and ends it.
// Needs Chromium: Debian's package, or what CHROMIUM_PATH names.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const target = process.argv[2] ?? import.meta.dirname;
const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const KEY = `hf_test_01kf0fv28ce4tbx1f3m0r9h6yd_${'0123456789abcdef'.repeat(4)}`;
const WIDE = { width: 1180, height: 900 };
const NARROW = { width: 360, height: 780 };

if (!existsSync(executablePath)) {
  process.stderr.write(
    `The pictures need Chromium at ${executablePath}, or where CHROMIUM_PATH says: apt-get install chromium fonts-liberation\n`,
  );
  process.exit(1);
}

const directory = mkdtempSync(join(tmpdir(), 'holdfast-pictures-'));
const holdfast = await start();
try {
  const browser = await chromium.launch({ executablePath });
  await takePictures(browser);
  await browser.close();
} finally {
  holdfast.child.kill('SIGTERM');
  await once(holdfast.child, 'close');
  rmSync(directory, { recursive: true });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Everything that `npm start` starts, on ports and in a directory of its own. */
async function start() {
  const [port, database, sandbox] = [await freePort(), await freePort(), await freePort()];
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    EMBEDDED_DB_PORT: String(database),
    EMBEDDED_DB_DIR: join(directory, 'postgres'),
    SANDBOX_PORT: String(sandbox),
    DEMO_API_KEY: KEY,
    DEMO_API_KEY_B: KEY.replace('01kf0fv28ce4tbx1f3m0r9h6yd', '01kf0fv28ce4tbx1f3m0r9h6yb'),
    PROVIDER_TIMEOUT: '3s',
    LOG_LEVEL: 'error',
  };
  const script = new URL('../../dist/local/start.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk) => (said += chunk).includes('Holdfast runs') && resolve());
    child.once('close', () => reject(new Error('it ended before it ran')));
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

async function post(path, key, body, headers = {}) {
  const answer = await fetch(`${holdfast.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, operation: answer.headers.get('operation-id'), body: await answer.json() };
}

function order(quantity = 1) {
  return { items: [{ productId: '123', quantity }] };
}

/** Customers whose answers get lost now and then. */
async function customers(until) {
  for (let n = 0; performance.now() < until; n += 1) {
    const key = crypto.randomUUID();
    await post('/v1/orders', key, order());
    if (n % 4 === 0) await post('/v1/orders', key, order(), { 'retry-attempt': '2', 'retry-reason': n % 8 ? 'timeout' : 'connection' });
    if (n % 15 === 0) await post('/v1/orders', key, order(2));
    if (n % 40 === 0) void payment('tok_hang_after');
    await sleep(40 + 60 * (1 + Math.sin(performance.now() / 4_000)));
  }
}

/** One payment, sent again until it has an outcome. */
async function payment(source) {
  const placed = await post('/v1/orders', crypto.randomUUID(), order(2));
  const { id: orderId, total: amount, currency } = placed.body;
  const key = crypto.randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    const retry = attempt > 1 && { 'retry-attempt': String(attempt), 'retry-reason': 'in-progress' };
    const answer = await post('/v1/payments', key, { orderId, amount, currency, source }, { ...retry });
    if (answer.status !== 202) return answer;
    await sleep(1_000);
  }
}

async function takePictures(browser) {
  const page = await browser.newPage({ viewport: WIDE, colorScheme: 'light', locale: 'en-GB' });
  const shot = async (name, fullPage = true) => page.screenshot({ path: join(target, `console-${name}.png`), fullPage });
  const to = async (screen) => {
    await page.getByRole('link', { name: screen, exact: true }).click();
    await page.getByRole('heading', { name: screen, exact: true }).waitFor();
  };
  await page.goto(`${holdfast.url}/console`);
  await page.getByLabel('API key with operations:read').fill(KEY);
  await page.getByRole('button', { name: 'Use it' }).click();
  await page.getByRole('button', { name: 'Forget it' }).waitFor();

  await customers(performance.now() + 60_000);
  void payment('tok_hang_after');
  await sleep(3_000);
  await shot('now');

  const paid = await payment('tok_hang_after');
  await to('One story');
  await page.getByLabel('Idempotency key, operation or resource').fill(paid.operation);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByText('Key expires').waitFor();
  await shot('story');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('dark');

  await page.emulateMedia({ colorScheme: 'light' });
  await to('Try it');
  await page.getByRole('button', { name: 'Place an order and lose the answer' }).click();
  await page.getByText('then the connection was cut').waitFor();
  await page.getByRole('button', { name: 'Retry with the same key' }).click();
  await page.getByRole('button', { name: 'Send the order twice at once' }).click();
  await page.getByText('1 order read back').nth(1).waitFor();
  await shot('try');
  await page.setViewportSize(NARROW);
  await shot('narrow', false);
}
