import { HOLDFAST, orders, type Context } from '../context.js';
import type { JobResult } from '../loader.js';
import { measure, type Sample } from '../measure.js';
import { inRounds } from '../rounds.js';

/** Enough connections for a burst beside the rest of the load. */
const MIX_CONNECTIONS = 64;
/** Below that there would be no burst in it. */
const LEAST = 500;

/** Retries, mismatches and bursts of equal requests among fresh orders. */
export interface Mix {
  samples: Sample[];
  /** Status → number of answers, the rounds that count taken together. */
  statuses: Record<string, number>;
  /** Different keys that were sent in all, and orders that were written for them. */
  effects: { keys: number; orders: number };
}

/** @throws Error unless each key had exactly one effect */
export async function mix({ world, loader, amounts }: Context): Promise<Mix> {
  const holdfast = await world.start('holdfast', HOLDFAST);
  const countOrders = async (): Promise<number> => Number((await world.query<{ count: string }>('SELECT count(*) FROM orders'))[0]?.count);
  const before = await countOrders();
  const results: JobResult[] = [];
  const run = async (amount: number): Promise<Sample> => {
    const job = { ...orders(holdfast, { amount: Math.max(LEAST, amount), traffic: { kind: 'mixed' } }), connections: MIX_CONNECTIONS };
    return measure(holdfast, world.postgres.pid, async () => {
      const result = await loader.run(job, [201, 409, 422]);
      results.push(result);
      return result;
    });
  };
  const { mix: samples = [] } = await inRounds([{ name: 'mix', run }], amounts);
  await holdfast.stop();
  const keys = results.reduce((sum, result) => sum + result.freshKeys, 0);
  const effects = { keys, orders: (await countOrders()) - before };
  if (effects.keys !== effects.orders) throw new Error(`${effects.keys} keys were sent, and ${effects.orders} orders were written`);
  return { samples, statuses: sumOf(results.map((result) => result.statuses)), effects };
}

function sumOf(counts: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const count of counts) for (const [name, number] of Object.entries(count)) sum[name] = (sum[name] ?? 0) + number;
  return sum;
}
