import type { Progress } from '../src/kernel/progress.js';
import type { Options } from './arguments.js';
import { CONNECTIONS, type Context } from './context.js';
import { Loader } from './loader.js';
import { durabilityOf, load, machineOf } from './machine.js';
import { resultsOf, type Results } from './results.js';
import type { World } from './world.js';
import { batches } from './workloads/batches.js';
import { distance } from './workloads/distance.js';
import { firstRequests } from './workloads/first.js';
import { hotKey } from './workloads/hot-key.js';
import { mix } from './workloads/mix.js';
import { payments } from './workloads/payments.js';
import { replays } from './workloads/replays.js';

/** A database to measure on, and seven workloads. */
export const STEPS = 8;

/** Runs all workloads one after the other. */
export async function runBench(world: World, { rounds, requests, baseRows, hotKeySeconds }: Options, progress: Progress): Promise<Results> {
  const loadAtStart = load();
  progress.step(`PostgreSQL with ${baseRows} orders`);
  await world.prepare(baseRows);
  const context: Context = { world, loader: world.keep(new Loader()), amounts: { rounds, requests, progress } };
  progress.step('first requests');
  const first = await firstRequests(context);
  progress.step('replays');
  const replayed = await replays(context);
  progress.step('batches');
  const batched = await batches(context);
  progress.step('a mix with retries, mismatches and bursts');
  const mixed = await mix(context);
  progress.step('payments');
  const paid = await payments(context);
  progress.step('a distant database');
  const far = await distance(context);
  progress.step('one hot key');
  const hot = await hotKey(context, hotKeySeconds);
  return resultsOf(
    { first, replays: replayed, batches: batched, mix: mixed, payments: paid, distance: far, hotKey: hot },
    await machineOf(world, loadAtStart),
    {
      rounds,
      requestsPerRound: requests,
      connections: CONNECTIONS,
      baseRows,
      ...(await durabilityOf(world)),
    },
  );
}
