import { HOLDFAST, orders, type Context } from '../context.js';
import { Loader, type Job, type JobResult } from '../loader.js';
import { OTHER_API_KEY, freshOrder } from '../requests.js';

/** Requests a second of the account that wants to be left in peace, over so many connections: few, or they wait for each other. */
const QUIET_PER_SECOND = 20;
const QUIET_CONNECTIONS = 8;
const HAMMER_CONNECTIONS = 200;
/** Connections of an account that sends nothing but new orders. */
const CROWDS = { small: 200, large: 600 };
/** A rate of the other account that leaves the CPU time to spare. */
const HELD_PER_SECOND = 1_000;
/** The hammer is there before the first measured request, and still there after the last. In seconds. */
const AROUND = 0.5;

/** What the one account sees, in milliseconds, and how many requests a second the other one had answered meanwhile. */
export interface Seen {
  p50: number;
  p99: number;
  longest: number;
  hammerPerSecond: number;
}

/**
 * One account's orders beside another one: without it; while it hammers a single key, at a rate that is held and without a limit; and
 * while it sends new orders over 200 and 600 connections as fast as they are answered.
 */
export interface HotKey {
  quiet: Seen;
  held: Seen;
  unbounded: Seen;
  crowd200: Seen;
  crowd600: Seen;
}

/** @param seconds how long each of the five lasts */
export async function hotKey({ world, loader, amounts }: Context, seconds: number): Promise<HotKey> {
  const holdfast = await world.start('holdfast', HOLDFAST);
  const hammerLoader = world.keep(new Loader());
  const amount = Math.ceil(seconds * QUIET_PER_SECOND);
  const peaceful: Job = {
    ...orders(holdfast, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } }),
    apiKey: OTHER_API_KEY,
    connections: QUIET_CONNECTIONS,
    perSecond: QUIET_PER_SECOND,
  };
  const hammer: Job = {
    ...orders(holdfast, { amount: 1_000_000_000, traffic: { kind: 'same', request: freshOrder('uuidv7') } }),
    connections: HAMMER_CONNECTIONS,
    seconds: seconds + 2 * AROUND,
  };
  const beside = async (more: Partial<Job>): Promise<Seen> => {
    const hammering = hammerLoader.run({ ...hammer, ...more }, [201, 429, 503]);
    const [hammered, result] = await Promise.all([hammering, later(AROUND).then(() => loader.run(peaceful))]);
    return seen(result, hammered);
  };
  // What a young process, and the disk after the workloads before, take longer for would be blamed on the first part.
  const { perSecond: _, ...unpaced } = peaceful;
  await loader.run({ ...unpaced, amount: amounts.requests * 2 });
  await hammerLoader.run({ ...hammer, seconds: AROUND }, [201, 409]);
  await world.query('CHECKPOINT');
  const result = {
    quiet: seen(await loader.run(peaceful)),
    held: await beside({ perSecond: HELD_PER_SECOND }),
    unbounded: await beside({}),
    crowd200: await beside({ traffic: { kind: 'fresh', keys: 'uuidv7' }, connections: CROWDS.small }),
    crowd600: await beside({ traffic: { kind: 'fresh', keys: 'uuidv7' }, connections: CROWDS.large }),
  };
  hammerLoader.stop();
  await holdfast.stop();
  return result;
}

function seen({ p50, p99, longest }: JobResult, hammered?: JobResult): Seen {
  return { p50, p99, longest, hammerPerSecond: hammered ? hammered.requests / hammered.seconds : 0 };
}

function later(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
