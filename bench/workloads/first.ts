import { HOLDFAST, measured, orders, type Context } from '../context.js';
import { measure, type Sample } from '../measure.js';
import { Pgbench } from '../pgbench.js';
import { programOnPath } from '../programs.js';
import { Redis } from '../redis.js';
import { inRounds, type Variant } from '../rounds.js';
import type { Service } from '../service.js';

/** The service, and what its first requests are compared with. */
export type FirstVariant = 'holdfast' | 'oneRole' | 'claimFirst' | 'floor' | 'inFlights' | 'oneByOne' | 'nodeIdempotency' | 'pgbench';

/** What was measured of each variant, round by round, and why some could not run. */
export interface First {
  samples: Partial<Record<FirstVariant, Sample[]>>;
  reasons: Partial<Record<FirstVariant, string>>;
}

const SCRIPTS: [FirstVariant, string][] = [
  ['holdfast', HOLDFAST],
  ['oneRole', HOLDFAST],
  ['claimFirst', 'variants/claim-first.js'],
  ['floor', 'variants/floor.js'],
  ['inFlights', 'variants/in-flights.js'],
  ['oneByOne', 'variants/one-by-one.js'],
];

/** Orders under new keys. */
export async function firstRequests(context: Context): Promise<First> {
  const { world } = context;
  const services = await Promise.all(
    SCRIPTS.map(async ([name, script]) => ({
      name,
      service: await world.start(name, script, name === 'oneRole' ? world.oneRole() : {}),
    })),
  );
  const variants: Variant<FirstVariant>[] = services.map(({ name, service }) => ({
    name,
    run: (amount) => measured(context, service, fresh(service, amount)),
  }));
  const reasons: First['reasons'] = {};
  const peer = await addPeer(context, variants, reasons);
  await addPgbench(context, variants, reasons);
  const samples = await inRounds(variants, context.amounts);
  await Promise.all([...services.map(({ service }) => service), ...peer].map((one) => one.stop()));
  return { samples, reasons };
}

function fresh(service: Service, amount: number) {
  return orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } });
}

/** @returns what has to be stopped */
async function addPeer({ world, loader }: Context, variants: Variant<FirstVariant>[], reasons: First['reasons']) {
  const program = programOnPath('redis-server');
  if (program === undefined) {
    reasons.nodeIdempotency = 'there is no redis-server on the PATH';
    return [];
  }
  const redis = world.keep(await Redis.start(program, world.directory));
  const service = await world.start('node-idempotency', 'variants/node-idempotency.js', { REDIS_URL: redis.url });
  variants.push({
    name: 'nodeIdempotency',
    run: (amount) => measure(service, world.postgres.pid, () => loader.run(fresh(service, amount)), redis),
  });
  return [service, redis];
}

async function addPgbench({ world }: Context, variants: Variant<FirstVariant>[], reasons: First['reasons']): Promise<void> {
  const program = programOnPath('pgbench');
  if (program === undefined) {
    reasons.pgbench = 'there is no pgbench on the PATH';
    return;
  }
  const pgbench = await Pgbench.of(program, world);
  variants.push({ name: 'pgbench', run: (amount) => pgbench.run(amount) });
}
