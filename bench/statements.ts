import { EMBEDDED_ROLES } from '../src/kernel/config.js';
import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { optionsFor } from './arguments.js';
import { HOLDFAST, orders } from './context.js';
import { Loader, type Job } from './loader.js';
import { describe, load, machineOf, type Machine } from './machine.js';
import { print } from './report/print.js';
import { rounded } from './statistics.js';
import { paying, paymentsOfLatest, startProvider } from './workloads/payments.js';
import { World } from './world.js';

/**
 * The statements of an order and of a payment, with what each takes inside the server: executing, and planning where it is planned anew.
 * By pg_stat_statements, which costs a little itself; what a packet takes to be read, locked for, written and sent is not in there.
 */
const FLAGS = ['shared_preload_libraries=pg_stat_statements', 'pg_stat_statements.track_planning=on'].flatMap((flag) => ['-c', flag]);
/** Those of the requests: what a process does beside them has other roles, and what is not in one of twenty is of the moment. */
const STATEMENTS = `
  SELECT query AS text, calls / $1::float8 AS times, total_exec_time * 1000 / $1 AS "executingUs", total_plan_time * 1000 / $1 AS "planningUs"
    FROM pg_stat_statements WHERE userid = $2::regrole AND calls >= $1::int / 20 ORDER BY total_exec_time + total_plan_time DESC`;

/** One statement; times and microseconds are of one request. */
interface Statement {
  text: string;
  times: number;
  executingUs: number;
  planningUs: number;
}

/** What `--json` prints. */
export interface StatementsReport {
  machine: Machine;
  options: { requests: number };
  requests: Record<string, Statement[]>;
}

const options = optionsFor('bench:statements');
const amount = options.requests;
const progress = new Progress(3);
await inWorld(
  () => new World(FLAGS),
  async (world) => {
    const loadAtStart = load();
    await world.prepare(options.baseRows);
    await world.query('CREATE EXTENSION pg_stat_statements');
    const loader = world.keep(new Loader());
    const { sandbox } = await startProvider(world);
    const service = await world.start('holdfast', HOLDFAST, { PROVIDER_URL: sandbox.url });
    const order = orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } });
    const payment = async () => paying(service, await paymentsOfLatest(world, amount));
    progress.step('warming up');
    await loader.run(order);
    await loader.run(await payment());
    const requests: StatementsReport['requests'] = {};
    progress.step('orders');
    requests['an order with two items'] = await statementsOf(world, loader, order);
    progress.step('payments');
    requests['a payment'] = await statementsOf(world, loader, await payment());
    const report: StatementsReport = { machine: await machineOf(world, loadAtStart), options: { requests: amount }, requests };
    print(report, render, options, progress);
  },
);

async function statementsOf(world: World, loader: Loader, job: Job): Promise<Statement[]> {
  await world.query('SELECT pg_stat_statements_reset()');
  await loader.run(job);
  return world.query<Statement>(STATEMENTS, [amount, EMBEDDED_ROLES.api]);
}

function render({ machine, requests }: StatementsReport): string {
  return `${[...Object.entries(requests).map(([name, list]) => table(name, list)), describe(machine)].join('\n\n')}\n`;
}

function table(name: string, list: readonly Statement[]): string {
  const sum = (figure: 'times' | 'executingUs' | 'planningUs'): number => list.reduce((all, one) => all + one[figure], 0);
  const line = (text: string, times: number, executing: number, planning: number): string =>
    `| ${text} | ${rounded(times, 2)} | ${rounded(executing, 2)} | ${rounded(planning, 2)} |`;
  return [
    `| ${name} | times | executing, µs | planning, µs |`,
    '| --- | --- | --- | --- |',
    ...list.map(({ text, times, executingUs, planningUs }) => line(`\`${shortened(text)}\``, times, executingUs, planningUs)),
    line('together', sum('times'), sum('executingUs'), sum('planningUs')),
  ].join('\n');
}

/** As much of a statement as tells which it is. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
  return line.length > 110 ? `${line.slice(0, 110)}…` : line;
}
