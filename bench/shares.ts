import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { optionsFor } from './arguments.js';
import { CONNECTIONS, HOLDFAST, measured, orders, type Context } from './context.js';
import { Loader, type Job } from './loader.js';
import { describe, load, machineOf, type Machine } from './machine.js';
import { print } from './report/print.js';
import type { Part } from './rounds.js';
import type { Service } from './service.js';
import { rounded } from './statistics.js';
import { World } from './world.js';

/**
 * Which share of a request's CPU time goes where: Node's by a profile of the service as shipped, in which a sample counts for the part
 * that the innermost code on its stack belongs to, and PostgreSQL's beside it. On a machine whose pace changes from second to second this
 * tells small parts apart, which runs with and without them do not: all samples of a profile have had the same pace. What a part leaves
 * for the collector is not its own here.
 */
const PARTS: [name: string, code: RegExp][] = [
  ['metrics and log lines', /\/src\/observability\/|\/src\/kernel\/(logger|key-hash)\.|\/node_modules\/(pino|sonic-boom|prom-client)\//],
  ['limits and turns', /\/src\/accounts\/(rate-limits|shared-counters)\.|\/account-turns\.|\/node_modules\/rate-limiter-flexible\//],
  ['authentication', /\/src\/accounts\//],
  ['the core', /\/src\/idempotency\//],
  ['the driver', /\/node_modules\/pg[^/]*\//],
  ['validation', /\/node_modules\/class-(validator|transformer)\/|\/src\/http\/(validation|body)/],
  ['Nest', /\/node_modules\/@nestjs\/|\/node_modules\/rxjs\//],
  ['Fastify', /\/node_modules\/(fastify|find-my-way|avvio|light-my-request|@fastify)\//],
];
const COLLECTOR = 'garbage collection';
const REST = 'Node itself and the rest';
const POSTGRES = 'PostgreSQL';
const ROWS = [...PARTS.map(([name]) => name), COLLECTOR, REST, POSTGRES];

/** What `--json` prints: each part's share, of 1. */
export interface SharesReport {
  machine: Machine;
  options: { requests: number };
  shares: Record<string, Record<string, number>>;
}

/** A profile is of one process and one pace: more rounds would say the same. */
const REPEATED = 8;

const options = optionsFor('bench:shares');
const amount = options.requests * REPEATED;
const progress = new Progress(3);
await inWorld(
  () => new World(),
  async (world) => {
    const loadAtStart = load();
    await world.prepare(options.baseRows);
    const file = `${world.directory}/profile.json`;
    const context: Context = { world, loader: world.keep(new Loader()), amounts: { ...options, progress } };
    const service = await world.start('holdfast', HOLDFAST, { LOG_LEVEL: 'info', PROFILE_FILE: file }, 'profiled.js');
    const first = (part: Part) => orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7', remember: part } });
    const again = (part: Part) => orders(service, { amount, traffic: { kind: 'again', of: part } });
    progress.step('warming up');
    await context.loader.run(first('lead-in'));
    await context.loader.run(again('lead-in'));
    const shares: SharesReport['shares'] = {};
    progress.step('first requests');
    shares['a first request'] = await profiled(context, service, file, first('measured'));
    progress.step('replays');
    shares['a replay'] = await profiled(context, service, file, again('measured'));
    const report: SharesReport = { machine: await machineOf(world, loadAtStart), options: { requests: amount }, shares };
    print(report, render, options, progress);
  },
);

/** Does a job under a profile and tells where the time went. */
async function profiled(context: Context, service: Service, file: string, job: Job): Promise<Record<string, number>> {
  rmSync(file, { force: true });
  process.kill(service.pid, 'SIGUSR2');
  const { nodeUs = NaN, postgresUs, totalUs } = await measured(context, service, job);
  process.kill(service.pid, 'SIGUSR2');
  while (!existsSync(file)) await sleep(50);
  const times = timesOf(JSON.parse(readFileSync(file, 'utf8')) as Profiler.Profile);
  const ofNode = [...times.values()].reduce((a, b) => a + b, 0);
  const share = (part: string): number => ((times.get(part) ?? 0) / ofNode) * (nodeUs / totalUs);
  return Object.fromEntries(ROWS.map((part) => [part, part === POSTGRES ? postgresUs / totalUs : share(part)]));
}

/** The time of each part's samples. */
function timesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const parts = partsOf(nodes);
  const times = new Map<string, number>();
  for (const [at, node] of samples.entries()) {
    const part = parts.get(node);
    if (part !== undefined) times.set(part, (times.get(part) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return times;
}

/** Of each node of the tree of calls the part that it counts for; none while the process idles. */
function partsOf(nodes: readonly Profiler.ProfileNode[]): Map<number, string> {
  const parts = new Map<number, string>();
  // A caller stands in front of those that it calls, and what belongs to no part counts for the one that called it.
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child): [number, number] => [child, id])));
  for (const { id, callFrame } of nodes) {
    if (callFrame.functionName === '(idle)') continue;
    const own = callFrame.functionName === '(garbage collector)' ? COLLECTOR : PARTS.find(([, code]) => code.test(callFrame.url))?.[0];
    parts.set(id, own ?? parts.get(callers.get(id) ?? NaN) ?? REST);
  }
  return parts;
}

function render({ machine, shares, options: { requests } }: SharesReport): string {
  const names = Object.keys(shares);
  const lines = ROWS.map(
    (part) => `| ${[part, ...names.map((name) => `${rounded(100 * (shares[name]?.[part] ?? NaN), 2)} %`)].join(' | ')} |`,
  );
  const head = [`| CPU time of | ${names.join(' | ')} |`, `| --- | ${names.map(() => '---').join(' | ')} |`];
  return `${[...head, ...lines].join('\n')}\n\n${requests} of each over ${CONNECTIONS} connections. ${describe(machine)}\n`;
}
