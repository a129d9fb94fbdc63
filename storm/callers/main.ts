import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Progress } from '../../src/kernel/progress.js';
import { API_KEY, Server, World, scriptsOf } from '../world.js';
import { run, type Contestants, type Result, type Service, type Terms } from './contest.js';
import { Shop } from './holdfast.js';
import { LIBRARIES, Libraries, WAYS } from './libraries.js';

const USAGE = 'npm run client:storm -- [--orders 1000] [--callers 20] [--seed 1] [--beside [--right]] [--quick]';

const { values } = parseArgs({
  options: {
    orders: { type: 'string' },
    callers: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    /** Popular libraries beside the client, installed into a temporary folder. */
    beside: { type: 'boolean', default: false },
    /** Of these only the way with the lines that make it right: the usual one of some waits for minutes. */
    right: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const terms: Terms = {
  orders: Number(values.orders ?? (values.quick ? 100 : 1_000)),
  callers: Number(values.callers),
  share: 0.5,
  seed: Number(values.seed),
};
if (!Object.values(terms).every((value) => value > 0) || !Number.isInteger(terms.orders) || !Number.isInteger(terms.callers)) {
  process.stderr.write(`usage: ${USAGE}\n`);
  process.exit(64);
}

/** Some of the libraries take minutes for a few orders. */
const ORDERS_BESIDE = 200;

const progress = new Progress();
progress.step('PostgreSQL starts');
const server = await Server.start();
try {
  progress.step('two replicas and the provider start');
  const world = await World.start(server, scriptsOf(join(import.meta.dirname, '../..')), {});
  try {
    const results = await runAll({
      replicas: world.replicas.map(({ url }) => url),
      apiKey: API_KEY,
      query: (text, values) => world.query(text, values),
    });
    progress.end();
    process.stdout.write(render(results));
    const isAsPromised = (result: Result): boolean => (result.name.endsWith('-usual') ? result.books.duplicates === 0 : isFlawless(result));
    process.exitCode = results.every(isAsPromised) ? 0 : 1;
  } finally {
    await world.close();
  }
} finally {
  await server.stop();
}

async function runAll(service: Service): Promise<Result[]> {
  const results = [await run(service, terms, { name: 'holdfast', open: (url) => new Shop(url, service.apiKey) }, progress)];
  if (!values.beside) return results;
  progress.step('npm installs the libraries');
  // The build has no copy of what it doesn't compile.
  const libraries = await Libraries.install(join(import.meta.dirname, '../../../storm/callers/libraries'));
  // What a library leaves rejected, or throws where nobody can catch it, is told, and ends nothing: ky loses an answer that is cut off so.
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.on(event, (error) => void process.stderr.write(`${event}: ${String(error)}\n`));
  }
  try {
    const beside = { ...terms, orders: Math.min(terms.orders, ORDERS_BESIDE) };
    for (const library of LIBRARIES) {
      for (const way of values.right ? (['right'] as const) : WAYS) {
        const contestants: Contestants = {
          name: `${library}-${way}`,
          open: (url) => libraries.caller(library, way, url, service.apiKey),
        };
        results.push(await run(service, beside, contestants, progress));
      }
    }
  } finally {
    await libraries.remove();
  }
  return results;
}

/** Every order has its end, none is there twice, and nobody was told what isn't so. */
function isFlawless({ books }: Result): boolean {
  return books.unanswered === 0 && books.duplicates === 0 && books.lies.length === 0;
}

function render(results: readonly Result[]): string {
  const head = [
    'callers',
    'orders',
    'placed',
    'refused',
    'answered later',
    'no answer',
    'of these with an order',
    'duplicates',
    'lies',
    'requests',
    'seconds',
  ];
  const rows = results.map(({ name, books, answeredLater, requests, seconds }) => [
    name,
    books.placed + books.refused + books.unanswered,
    books.placed,
    books.refused,
    answeredLater,
    books.unanswered,
    books.unansweredWithOrder,
    books.duplicates,
    books.lies.length,
    requests,
    seconds.toFixed(0),
  ]);
  const line = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |\n`;
  const faults = Object.entries(results[0]?.faults ?? {}).map(([fault, count]) => `${fault} ${count}`);
  return [
    `${terms.callers} callers at once, seed ${terms.seed}. Faults that the client met: ${faults.join(', ')}.\n\n`,
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    ...results.flatMap(({ books }) => books.lies.map((lie) => `Told and not so: ${lie}\n`)),
  ].join('');
}
