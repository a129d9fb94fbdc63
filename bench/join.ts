import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { readArguments, USAGE, UsageError, type Options } from './arguments.js';
import { measured, orders, type Context } from './context.js';
import { Loader } from './loader.js';
import { describe, load, machineOf, type Machine } from './machine.js';
import type { Sample } from './measure.js';
import { inRounds, type Variant } from './rounds.js';
import { quotients, rounded, spread, type Spread } from './statistics.js';
import { World } from './world.js';

/**
 * What it costs a request that repositories join its handler's transaction: the same order through `tx` without the join, through `tx`
 * with it, and through an injected repository, in turns. The join follows asynchronous flows, which costs differently from Node to Node.
 */
const WAYS = {
  'tx, join: false': { join: false, path: '/v1/orders/tx' },
  'tx, join: true': { join: true, path: '/v1/orders/tx' },
  'a repository, join: true': { join: true, path: '/v1/orders/repository' },
};
type Way = keyof typeof WAYS;
const BASELINE: Way = 'tx, join: false';

/** What `--json` prints. */
export interface JoinReport {
  machine: Machine;
  options: { requests: number; rounds: number };
  /** CPU time of one request in microseconds, and its ratio to that of the first way in the same round. */
  ways: Record<Way, { nodeUs: Spread; totalUs: Spread; nodeRatio: Spread; totalRatio: Spread }>;
}

const options = optionsOrUsage();
const progress = new Progress();
await inWorld(
  () => new World(),
  async (world) => {
    const loadAtStart = load();
    await world.prepare(options.baseRows);
    const ways = reportOf(await samplesIn(world));
    const { requests, rounds } = options;
    const report: JoinReport = { machine: await machineOf(world, loadAtStart), options: { requests, rounds }, ways };
    progress.end();
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : render(report));
  },
);

async function samplesIn(world: World): Promise<Partial<Record<Way, Sample[]>>> {
  const context: Context = { world, loader: world.keep(new Loader()), amounts: { ...options, progress } };
  // A process each: one that served two ways would be the warmer one.
  const variants = await Promise.all(
    Object.entries(WAYS).map(async ([name, { join, path }]): Promise<Variant<Way>> => {
      const service = await world.start(name, 'variants/joined.js', { JOIN: String(join) });
      const job = (amount: number) => ({ ...orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } }), path });
      return { name: name as Way, run: (amount) => measured(context, service, job(amount)) };
    }),
  );
  return inRounds(variants, context.amounts);
}

function reportOf(samples: Partial<Record<Way, Sample[]>>): JoinReport['ways'] {
  const node = (way: Way): number[] => (samples[way] ?? []).map(({ nodeUs = NaN }) => nodeUs);
  const total = (way: Way): number[] => (samples[way] ?? []).map(({ totalUs }) => totalUs);
  const ways = (Object.keys(WAYS) as Way[]).map((way) => {
    const [nodeRatio, totalRatio] = [quotients(node(way), node(BASELINE)), quotients(total(way), total(BASELINE))];
    return [
      way,
      { nodeUs: spread(node(way)), totalUs: spread(total(way)), nodeRatio: spread(nodeRatio), totalRatio: spread(totalRatio) },
    ] as const;
  });
  return Object.fromEntries(ways) as JoinReport['ways'];
}

function render({ machine, ways }: JoinReport): string {
  const words = ({ median, low, high }: Spread): string => `${rounded(median)} (${rounded(low)} to ${rounded(high)})`;
  const lines = Object.entries(ways).map(
    ([way, { nodeUs, totalUs, nodeRatio, totalRatio }]) =>
      `| ${way} | ${words(nodeUs)} | ${words(nodeRatio)} | ${words(totalUs)} | ${words(totalRatio)} |`,
  );
  const head = ['| an order | Node, CPU µs | ratio | with PostgreSQL | ratio |', '| --- | --- | --- | --- | --- |'];
  return `${[...head, ...lines, '', describe(machine)].join('\n')}\n`;
}

function optionsOrUsage(): Options {
  try {
    const read = readArguments(process.argv.slice(2));
    if (read.write) throw new UsageError('--write is for npm run bench');
    return read;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
