import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { HoldfastClient } from '../../client/src/index.js';
import { publicId } from '../../src/kernel/ids.js';
import { blocksOf, marked, read } from '../docs/markdown.js';
import { KEY_A } from '../support/keys.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { Gate } from './support/gate.js';

let world: PaymentWorld;
let gate: Gate;
let directory: string;
let cart: string;
const children: ChildProcess[] = [];
beforeAll(async () => {
  world = await startPaymentWorld();
});
beforeEach(async () => {
  gate = await Gate.start(world.url);
  directory = mkdtempSync(join(tmpdir(), 'holdfast-script-'));
  cart = uuidv7();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await gate.close();
  rmSync(directory, { recursive: true });
});
afterAll(() => world.close());

/** Writes the one block that is marked so on a page into the folder of this test. */
function show(page: string, mark: string, file: string): void {
  const [shown] = blocksOf(marked(read(page), mark));
  writeFileSync(join(directory, file), shown?.text ?? '');
}

/** The built client, as an installation has it. */
function installClient(): void {
  const home = join(directory, 'node_modules/@holdfast/client');
  cpSync(join(__dirname, '../../dist/client/src'), home, { recursive: true });
  const manifest = { type: 'module', exports: { '.': './index.js', './node': './node.js' } };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
}

function start(command: string, file: string): { child: ChildProcess; ended: Promise<[string, string]> } {
  const child = spawn(command, [file, cart], { cwd: directory, env: { PATH: process.env['PATH'], API: gate.url, KEY: KEY_A } });
  children.push(child);
  let [told, complained] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (told += text.toString()));
  child.stderr.on('data', (text: Buffer) => (complained += text.toString()));
  return { child, ended: once(child, 'close').then(() => [told, complained]) };
}

/** Whether Python is there, with what the page says that its script needs. */
const hasPython = spawnSync('python3', ['-c', 'import urllib3; assert urllib3.__version__ >= "2"']).status === 0;

const SCRIPTS = [
  { language: 'JavaScript', page: 'client/README.md', mark: 'script', command: process.execPath, file: 'buy.mjs' },
  { language: 'Python', page: 'docs/clients.md', mark: 'python', command: 'python3', file: 'buy.py' },
].filter(({ language }) => language !== 'Python' || hasPython);

describe.each(SCRIPTS)(`the script in $language${hasPython ? '' : ' (that in Python is left out: there is no urllib3 2)'}`, (script) => {
  beforeEach(() => {
    show(script.page, script.mark, script.file);
    installClient();
  });

  it.each([
    ['before its order arrives', 1, 'before'],
    ['when its order is placed', 1, 'after'],
    ['before its payment arrives', 2, 'before'],
    ['when its payment is made', 2, 'after'],
  ] as const)('killed %s and started again, orders once and pays once', async (_when, write, moment) => {
    let held = gate.holdNext(write === 1 ? moment : 'after');
    const first = start(script.command, script.file);
    if (write === 2) {
      const order = await held;
      held = gate.holdNext(moment);
      order.release();
    }
    const request = await held;
    first.child.kill('SIGKILL');
    await first.ended;
    request.cut();

    const [told, complained] = await start(script.command, script.file).ended;
    const bought = await world.database.query<{ order: string; payment: string; status: string }>(
      `SELECT o.id AS "order", p.id AS payment, p.status FROM orders o JOIN payments p ON p.order_id = o.id WHERE o.customer_reference = $1`,
      [cart],
    );
    const lines = bought.map(({ order, payment, status }) => `${publicId('ord', order)} ${publicId('pay', payment)} ${status}\n`);
    expect([lines, complained]).toEqual([[told], '']);
    expect(told).toMatch(/ succeeded\n$/);
    expect(new Set(gate.writes.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([`order-${cart}`, `pay-${cart}`]));
  });
});

it('what is undecided is looked up by its key: sealed, it never happens, and a new intent is safe', async () => {
  const client = new HoldfastClient({ baseUrl: gate.url, authorization: () => `Bearer ${KEY_A}` });
  const held = gate.holdNext('before');
  const intent = await client.orders.prepare({ items: [{ productId: '123', quantity: 0 }], customerReference: cart });
  const sending = intent.send();
  (await held).cut();
  expect(await sending).toMatchObject({ kind: 'unknown', reason: 'undecided', next: 'look-up' });
  expect(await client.operations.seal(intent.key)).toMatchObject({ kind: 'done', body: { state: 'sealed' } });
  await intent.forget();
  const key = `order-${cart}`;
  const placed = await client.orders.place({ items: [{ productId: '123', quantity: 1 }] }, { key });
  const resource = placed.kind === 'done' ? `/v1/orders/${placed.body.id}` : '';
  expect(await client.operations.seal(key)).toMatchObject({ kind: 'done', body: { state: 'completed', operation: { resource } } });
});
