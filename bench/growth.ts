import { measureMemory } from './growth/memory.js';
import { readOptions, USAGE, type Options } from './growth/options.js';
import { measurePurge } from './growth/purge.js';
import { measureRecords } from './growth/records.js';
import { machineOf, render, type Report } from './growth/report.js';
import { Stage } from './growth/stage.js';

/** What time does to the service: many records, their purge, and a process that runs for long. */
const options = optionsOrUsage();
const report = await Stage.during(async (stage): Promise<Report> => {
  const { only, requests, rounds } = options;
  return {
    machine: await machineOf(stage),
    options: { requests, rounds },
    ...(only.has('records') && { records: await measureRecords(stage, options) }),
    ...(only.has('purge') && { purge: await measurePurge(stage, options) }),
    ...(only.has('memory') && { memory: await measureMemory(stage, options) }),
  };
});
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : render(report));

function optionsOrUsage(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nusage: ${USAGE}\n`);
    process.exit(64);
  }
}
