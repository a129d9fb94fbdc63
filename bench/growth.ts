import { inWorld } from '../local/in-world.js';
import { Progress } from '../src/kernel/progress.js';
import { measureMemory } from './growth/memory.js';
import { readOptions, USAGE, type Options } from './growth/options.js';
import { measurePurge } from './growth/purge.js';
import { measureRecords } from './growth/records.js';
import { render, type Report } from './growth/report.js';
import { Stage } from './growth/stage.js';
import { load, machineOf } from './machine.js';
import { print } from './report/print.js';
import { World } from './world.js';

/** What time does to the service: many records, their purge, and a process that runs for long. */
const options = optionsOrUsage();
const progress = new Progress();
await inWorld(
  () => new World(),
  async (world) => {
    const loadAtStart = load();
    const stage = await Stage.on(world, progress);
    const { only, requests, rounds } = options;
    const parts = {
      ...(only.has('records') && { records: await measureRecords(stage, options) }),
      ...(only.has('purge') && { purge: await measurePurge(stage, options) }),
      ...(only.has('memory') && { memory: await measureMemory(stage, options) }),
    };
    const report: Report = { machine: await machineOf(world, loadAtStart), options: { requests, rounds }, ...parts };
    print(report, render, options, progress);
  },
);

function optionsOrUsage(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nusage: ${USAGE}\n`);
    process.exit(64);
  }
}
