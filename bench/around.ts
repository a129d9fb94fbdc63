import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { optionsFor } from './arguments.js';
import { Collector } from './collector.js';
import { HOLDFAST, measured, orders, type Context } from './context.js';
import { Loader } from './loader.js';
import { describe, load, machineOf, type Machine } from './machine.js';
import { print } from './report/print.js';
import { inRounds, type Part, type Variant } from './rounds.js';
import type { Service } from './service.js';
import { compareWays, tableOf, type Way } from './ways.js';
import { MORE_REPLAYS } from './workloads/replays.js';
import { World } from './world.js';

/**
 * What lies around the core costs a request: limits and turns, metrics and log lines, traces. Each is a process of its own of the same
 * build, from which a module loaded before it takes something away, and they are measured in turns.
 */
const SHIPPED = 'as shipped';
type WayName = typeof SHIPPED | 'without metrics and logs' | 'without limits and turns' | 'with traces';
const WAYS: Record<WayName, { before?: string; level?: string; traced?: boolean }> = {
  [SHIPPED]: {},
  'without metrics and logs': { before: 'without/metrics.js', level: 'warn' },
  'without limits and turns': { before: 'without/limits.js' },
  'with traces': { traced: true },
};

/** Connections of an account that is alone, more than it gets places. */
const MANY = 200;

const WORKLOADS = {
  'a first request': (context: Context, service: Service, amount: number) => first(context, service, amount),
  'a replay': (context: Context, service: Service, amount: number, part: Part) => replay(context, service, amount * MORE_REPLAYS, part),
  [`a first request, one account alone over ${MANY} connections`]: (context: Context, service: Service, amount: number) =>
    first(context, service, amount, MANY),
};

/** What `--json` prints. */
export interface AroundReport {
  machine: Machine;
  options: { requests: number; rounds: number };
  workloads: Record<string, Record<WayName, Way>>;
}

const options = optionsFor('bench:around');
const progress = new Progress(Object.keys(WORKLOADS).length);
await inWorld(
  () => new World(),
  async (world) => {
    const loadAtStart = load();
    await world.prepare(options.baseRows);
    const context: Context = { world, loader: world.keep(new Loader()), amounts: { ...options, progress } };
    const collector = world.keep(await Collector.start());
    const services = await Promise.all(
      Object.entries(WAYS).map(async ([name, { before, level = 'info', traced }]) => {
        const env = { LOG_LEVEL: level, ...(traced && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }) };
        return { name: name as WayName, service: await world.start(name, HOLDFAST, env, before) };
      }),
    );
    const workloads: AroundReport['workloads'] = {};
    for (const [title, run] of Object.entries(WORKLOADS)) {
      progress.step(title);
      const variants = services.map(({ name, service }): Variant<WayName> => ({
        name,
        run: (amount, part) => run(context, service, amount, part),
      }));
      workloads[title] = compareWays<WayName>(await inRounds(variants, context.amounts), SHIPPED);
    }
    if (collector.bytes === 0) throw new Error('no span was exported');
    const { requests, rounds } = options;
    const report: AroundReport = { machine: await machineOf(world, loadAtStart), options: { requests, rounds }, workloads };
    print(report, render, options, progress);
  },
);

function first(context: Context, service: Service, amount: number, connections?: number) {
  const job = orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } });
  return measured(context, service, connections === undefined ? job : { ...job, connections });
}

/** Sends each order twice to the same process; the second time is measured. */
async function replay(context: Context, service: Service, amount: number, part: Part) {
  await context.loader.run(orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7', remember: part } }));
  return measured(context, service, orders(service, { amount, traffic: { kind: 'again', of: part } }));
}

function render({ machine, workloads }: AroundReport): string {
  const tables = Object.entries(workloads).map(([title, ways]) => tableOf(title, ways));
  return `${[...tables, describe(machine)].join('\n\n')}\n`;
}
