import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KEY_A, KEY_B } from '../support/app.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { blocksOf, read } from './markdown.js';

/** A block to paste, and what the page says that it prints. */
interface Paste {
  script: string;
  shown: { language: string; text: string } | undefined;
}

/** An HTTP answer as `curl -i` prints it, or a page shows it. */
interface Answer {
  status: string;
  headers: Map<string, string>;
  body: string;
}

const SEPARATOR = '----- the next block -----';

/** The README's blocks for a shell, but for those that start the service. */
function pastes(): Paste[] {
  const blocks = blocksOf(read('README.md')).filter(({ language }) => ['sh', 'http', 'text'].includes(language));
  return blocks.flatMap(({ language, text }, at) => {
    if (language !== 'sh' || text.startsWith('npm ')) return [];
    const next = blocks[at + 1];
    return [{ script: text, shown: next && next.language !== 'sh' ? next : undefined }];
  });
}

/** Pastes them into one shell, in a directory where `npm start` has left the demo keys. */
async function pasteAll(scripts: string[], { url, sandbox, database }: PaymentWorld): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-readme-'));
  mkdirSync(join(directory, '.holdfast'));
  writeFileSync(join(directory, '.holdfast/demo-keys.json'), JSON.stringify({ DEMO_API_KEY: KEY_A, DEMO_API_KEY_B: KEY_B }));
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  const port = await freePort();
  const here = (script: string): string =>
    script
      .replaceAll('http://127.0.0.1:3000', url)
      .replaceAll('http://127.0.0.1:3400', sandbox.url)
      .replaceAll('postgres://holdfast@127.0.0.1:5499/postgres', database.url)
      .replaceAll('4000', String(port));
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const shell = spawn('bash', ['-eu'], { cwd: directory, env: { PATH: path }, stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  shell.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const code = new Promise((done) => shell.once('close', done));
  shell.stdin.end(scripts.map((script) => `${here(script)}\nprintf '\\n%s\\n' '${SEPARATOR}'\n`).join(''));
  expect(await code).toBe(0);
  rmSync(directory, { recursive: true });
  return printed.split(`\n${SEPARATOR}\n`).slice(0, -1);
}

/** A port where nobody listens at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function answerOf(text: string): Answer {
  const [head = '', ...rest] = text.replaceAll('\r', '').trim().split('\n\n');
  const [status = '', ...lines] = head.split('\n');
  const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
  return { status, headers: new Map(headers.map(([name, value]) => [name.toLowerCase(), value])), body: rest.join('\n\n').trim() };
}

/** Ids and times differ from run to run; everything else is what it says. */
function normalized(text: string): string {
  return text
    .replaceAll(/\b(ord|pay|op)_[0-9a-z]{26}\b/g, '$1_')
    .replaceAll(/\bch_[0-9a-f]{32}\b/g, 'ch_')
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'uuid')
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'time')
    .replaceAll(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, 'date');
}

function expectShown(printed: string, shown: string): void {
  const [actual, stated] = [answerOf(printed), answerOf(shown)];
  expect(actual.status).toBe(stated.status);
  for (const [name, value] of stated.headers) expect([name, normalized(actual.headers.get(name) ?? '')]).toEqual([name, normalized(value)]);
  if (stated.body !== '') expect(JSON.parse(normalized(actual.body))).toEqual(JSON.parse(normalized(stated.body)));
}

describe('the README, pasted from top to bottom', () => {
  let world: PaymentWorld;
  const blocks = pastes();
  let printed: string[];
  beforeAll(async () => {
    world = await startPaymentWorld({ PROVIDER_TIMEOUT: '1s', IDEMPOTENCY_LEASE: '10s', IDEMPOTENCY_RECOVERY_INTERVAL: '2s' });
    printed = await pasteAll(
      blocks.map(({ script }) => script),
      world,
    );
  }, 60_000);
  afterAll(() => world.close());

  it('shows what becomes of orders and of a payment', () => {
    const statuses = blocks.map(({ shown }) => shown?.text.split('\n')[0]);
    expect(statuses).toEqual(
      expect.arrayContaining(['HTTP/1.1 201 Created', 'HTTP/1.1 202 Accepted', 'HTTP/1.1 422 Unprocessable Entity']),
    );
  });

  it.each(blocks.map(({ script, shown }, at) => ({ line: script.trimEnd().split('\n').at(-1), shown, at })))('$line', ({ shown, at }) => {
    const actual = printed[at] ?? '';
    if (shown?.language === 'http') expectShown(actual, shown.text);
    else expect(actual.trim()).toBe(shown?.text.trim() ?? '');
  });

  it('the second answer to one request has the bytes of the first', () => {
    const [first, second] = printed.filter((text) => text.startsWith('HTTP/1.1 201')).map((text) => answerOf(text).body);
    expect(first).toContain('"id":"ord_');
    expect(second).toBe(first);
  });
});
