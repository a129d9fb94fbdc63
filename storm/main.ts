import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Progress } from '../src/kernel/progress.js';
import { fullPlan } from './plan.js';
import { runStorm, STEPS, type Outcome } from './storm.js';
import { Server, scriptsOf } from './world.js';

const USAGE = 'npm run storm -- [--operations 2000] [--seed 7] [--quick]';
const QUICK = 200;
/** More violations than these are as many as all of them. */
const SHOWN = 40;

const { values } = parseArgs({
  options: { operations: { type: 'string' }, seed: { type: 'string', default: '1' }, quick: { type: 'boolean', default: false } },
});
const operations = Number(values.operations ?? (values.quick ? QUICK : 2_000));
const seed = Number(values.seed);
if (!Number.isInteger(operations) || operations < 1 || !Number.isInteger(seed)) {
  process.stderr.write(`usage: ${USAGE}\n`);
  process.exit(64);
}

const progress = new Progress(STEPS);
const server = await Server.start();
try {
  const outcome = await runStorm(fullPlan({ operations, seed }), server, scriptsOf(join(import.meta.dirname, '..')), progress);
  progress.end();
  process.stdout.write(render(outcome));
  process.exitCode = outcome.violations.length + outcome.tooFew.length === 0 ? 0 : 1;
} finally {
  await server.stop();
}

function render({ violations, injections, tooFew, ends, replays, seconds }: Outcome): string {
  const counts = (numbers: object): string =>
    Object.entries(numbers)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const lines = [
    `A storm of ${operations} operations with seed ${seed}, ${seconds.toFixed(0)} s.`,
    `Ended:      ${counts(ends)}; ${replays} sent once more at the end.`,
    `Injected:   ${counts(injections)}.`,
    ...tooFew.map((sentence) => `Too little: ${sentence}.`),
    `Violations: ${violations.length}`,
    ...violations.slice(0, SHOWN).map(({ rule, what }) => `  ${rule}: ${what}`),
  ];
  return `${lines.join('\n')}\n`;
}
