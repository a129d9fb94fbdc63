import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { optionsFor } from './arguments.js';
import { measured, orders, type Context } from './context.js';
import { Loader } from './loader.js';
import { describe, load, machineOf, type Machine } from './machine.js';
import { print } from './report/print.js';
import type { Sample } from './measure.js';
import { inRounds, type Variant } from './rounds.js';
import { compareWays, tableOf, type Way } from './ways.js';
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
type WayName = keyof typeof WAYS;
const BASELINE: WayName = 'tx, join: false';

/** What `--json` prints. */
export interface JoinReport {
  machine: Machine;
  options: { requests: number; rounds: number };
  ways: Record<WayName, Way>;
}

const options = optionsFor('bench:join');
const progress = new Progress();
await inWorld(
  () => new World(),
  async (world) => {
    const loadAtStart = load();
    await world.prepare(options.baseRows);
    const ways = compareWays<WayName>(await samplesIn(world), BASELINE);
    const { requests, rounds } = options;
    const report: JoinReport = { machine: await machineOf(world, loadAtStart), options: { requests, rounds }, ways };
    print(report, render, options, progress);
  },
);

async function samplesIn(world: World): Promise<Partial<Record<WayName, Sample[]>>> {
  const context: Context = { world, loader: world.keep(new Loader()), amounts: { ...options, progress } };
  // A process each: one that served two ways would be the warmer one.
  const variants = await Promise.all(
    Object.entries(WAYS).map(async ([name, { join, path }]): Promise<Variant<WayName>> => {
      const service = await world.start(name, 'variants/joined.js', { JOIN: String(join) });
      const job = (amount: number) => ({ ...orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } }), path });
      return { name: name as WayName, run: (amount) => measured(context, service, job(amount)) };
    }),
  );
  return inRounds(variants, context.amounts);
}

function render({ machine, ways }: JoinReport): string {
  return `${tableOf('an order', ways)}\n\n${describe(machine)}\n`;
}
