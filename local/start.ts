import { v7 } from 'uuid';
import { type Config, readConfig } from '../src/kernel/config.js';
import { ChildFailure } from './child.js';
import { demoKeys } from './demo-keys.js';
import { EmbeddedPostgresError } from './embedded-postgres.js';
import { apiPiece, databasePiece, demoKeysFile, needsSandbox, sandboxPiece } from './pieces.js';
import { type Piece, type Run, supervise, type Supervised } from './supervisor.js';

/** The pieces of `npm start` in the order of their start; Ctrl-C ends them in the opposite one. */
const started: Supervised<Run>[] = [];
let ending: Promise<never> | undefined;

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

async function start<R extends Run>(piece: Piece<R>): Promise<R> {
  if (ending) return ending;
  const supervised = supervise(piece, say);
  started.push(supervised);
  void supervised.gaveUp.then((sentence) => {
    say(`${sentence} Everything is stopped.`);
    return end(1);
  });
  return supervised.ready;
}

/** Ends what was started, last first, and then this process. Asked again (npm passes a Ctrl-C on a second time), it goes on. */
function end(code: number): Promise<never> {
  ending ??= (async () => {
    for (const piece of started.toReversed()) await piece.stop();
    return process.exit(code);
  })();
  return ending;
}

async function main(): Promise<void> {
  const config = readConfig();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
  try {
    if (config.databaseIsEmbedded) await start(databasePiece(config));
    const sandbox = needsSandbox(config) ? await start(sandboxPiece()) : undefined;
    const keys = keysFor(config);
    const api = await start(apiPiece(keys));
    process.stdout.write(welcome(api.url, sandbox?.url, keys.DEMO_API_KEY));
  } catch (error) {
    if (!ending)
      say(error instanceof EmbeddedPostgresError || error instanceof ChildFailure ? error.message : String((error as Error).stack));
    await end(error instanceof ChildFailure ? error.exitCode : 1);
  }
}

/** Keys that the environment names win over those of this checkout; production has none. */
function keysFor(config: Config): { DEMO_API_KEY?: string; DEMO_API_KEY_B?: string } {
  if (config.production) return {};
  const [a, b] = config.demoKeys;
  if (a !== undefined && b !== undefined) return { DEMO_API_KEY: a, DEMO_API_KEY_B: b };
  const own = demoKeys(demoKeysFile);
  return { DEMO_API_KEY: a ?? own.DEMO_API_KEY, DEMO_API_KEY_B: b ?? own.DEMO_API_KEY_B };
}

function welcome(api: string, sandbox: string | undefined, key: string | undefined): string {
  const lines = [
    '',
    'Holdfast runs. Ctrl-C stops it; the data stay.',
    '',
    `  API      ${api}`,
    `  Docs     ${api}/docs`,
    `  Console  ${api}/console`,
  ];
  if (sandbox !== undefined) lines.push(`  Sandbox  ${sandbox}`);
  if (key !== undefined)
    lines.push(
      `  Demo key ${key}`,
      '',
      'Paste this to place an order, and paste it again to see the same answer replayed:',
      '',
      curl(api, key),
    );
  return `${lines.join('\n')}\n\n`;
}

function curl(api: string, key: string): string {
  const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', `Idempotency-Key: ${v7()}`];
  const body = '{"items":[{"productId":"123","quantity":1}]}';
  return `curl -i -X POST ${api}/v1/orders ${headers.map((header) => `-H '${header}'`).join(' ')} -d '${body}'`;
}

await main();
