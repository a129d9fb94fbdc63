import { existsSync, writeFileSync } from 'node:fs';
import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { readArguments, USAGE, UsageError, type Options } from './arguments.js';
import { runBench, STEPS } from './bench.js';
import { chartOf } from './report/chart.js';
import { markdownOf } from './report/table.js';
import type { Results } from './results.js';
import { World } from './world.js';

const options = optionsOrNone();
if (options && !existsSync('/proc/self/stat')) {
  process.stderr.write('The benchmark reads CPU times from /proc, which only Linux has.\n');
  process.exitCode = 1;
} else if (options) {
  await run(options);
}

function optionsOrNone(): Options | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function run(options: Options): Promise<void> {
  const progress = new Progress(STEPS);
  await inWorld(
    () => new World(),
    async (world) => {
      const results = await runBench(world, options, progress);
      progress.end();
      process.stdout.write(options.json ? jsonOf(results) : markdownOf(results));
      if (options.write) keep(results);
    },
  );
}

function jsonOf(results: Results): string {
  return `${JSON.stringify(results, undefined, 2)}\n`;
}

/** In the folder of the sources, seen from the build. */
function keep(results: Results): void {
  const folder = new URL('../../bench/', import.meta.url);
  writeFileSync(new URL('results.json', folder), jsonOf(results));
  writeFileSync(new URL('results.svg', folder), chartOf(results));
}
