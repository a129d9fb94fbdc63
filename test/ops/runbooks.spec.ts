import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, delimiter } from 'node:path';
import { readRepositoryFile } from '../support/compose.js';
import { KEY_A } from '../support/keys.js';
import { on } from '../support/database.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { PAGES, blocksOf, read } from '../docs/markdown.js';

/** A block to paste, and what the page says that it prints. */
interface Step {
  script: string;
  shown: string;
}

/** The commands with which a runbook reproduces its alert; those that start a service, or need docker, are left out. */
function stepsOf(name: string): Step[] {
  const section = read(`ops/runbooks/${name}`).split('## Reproduce it here')[1] ?? '';
  const blocks = blocksOf(section);
  if (blocks.some(({ text }) => text.includes('npm start'))) return [];
  return blocks.flatMap(({ language, text }, at) => {
    if (language !== 'sh' || text.startsWith('docker')) return [];
    const next = blocks[at + 1];
    return [{ script: text, shown: next?.language === 'text' ? next.text : '' }];
  });
}

const RUNBOOKS = readdirSync('ops/runbooks')
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, steps: stepsOf(name) }))
  .filter(({ steps }) => steps.length > 0);

/** A command that waits in vain is ended after so many milliseconds. */
const PATIENCE = 30_000;

/** Ids and figures differ from run to run. */
const normalized = (text: string): string =>
  text
    .trim()
    .replaceAll(/\b(ord|acct)_[0-9a-z]{26}\b/g, '$1_')
    .replaceAll(/\bch_[0-9a-f]{32}\b/g, 'ch_')
    .replaceAll(/ [0-9.]+$/gm, ' N')
    .replaceAll(/ \d+, /g, ' N, ');

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld();
}, 60_000);
afterAll(() => world.close());
// What one that failed has left.
afterEach(() => world.faults({}));

it.each(RUNBOOKS)('$name: its alert is reproduced, and ended, by what it says', async ({ steps }) => {
  for (const { script, shown } of steps) {
    const { code, printed } = await paste(script);
    expect([code, normalized(printed)]).toEqual([0, expect.stringContaining(normalized(shown))]);
  }
});

/** Every statement that a page gives an operator to run, in the words of the page. */
const QUERIES = PAGES.flatMap((page) =>
  blocksOf(read(page))
    .filter(({ language }) => language === 'sql')
    .map(({ text }) => ({ page, text: text.trim().replaceAll(/\s+/g, ' ') })),
);

it.each(QUERIES)('$page: the database takes $text, which only reads', async ({ text }) => {
  const readOnly = new URL(world.database.url);
  readOnly.searchParams.set('options', '-c default_transaction_read_only=on');
  expect(await on(readOnly.toString(), text)).toEqual(expect.any(Array));
});

/** Runs it in the checkout, against the world. */
async function paste(script: string): Promise<{ code: unknown; printed: string }> {
  const { database, sandbox, url } = world;
  const env = {
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    ...database.env,
    API: url,
    SANDBOX: sandbox.url,
    PROVIDER_URL: sandbox.url,
    DATABASE: database.url,
    SANDBOX_DATABASE: sandbox.database.url,
    KEY: KEY_A,
  };
  // The build is there, and another one would change it under the tests that run beside.
  const { scripts } = JSON.parse(readRepositoryFile('package.json')) as { scripts: Record<string, string> };
  const here = script.replaceAll(/npm run --silent (\w+)( --)?/g, (_, name: string) => scripts[name]?.split(' && ').at(-1) ?? name);
  expect(here).not.toMatch(/npm run/);
  const shell = spawn('bash', ['-eu', '-c', here], { env, stdio: ['ignore', 'pipe', 'inherit'], timeout: PATIENCE });
  let printed = '';
  shell.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const code = await new Promise((done) => shell.once('close', done));
  return { code, printed };
}
