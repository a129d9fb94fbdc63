import { HOLDFAST, measured, orders, type Context } from '../context.js';
import { DelayedDatabase } from '../delayed-database.js';
import type { Sample } from '../measure.js';
import { inRounds, type Variant } from '../rounds.js';

/** How far the database is, one way after the other: so many milliseconds for a question and its answer, beside what they take anyway. */
export const DISTANCES = [0, 1, 5] as const;
/** Between these two an order's round trips are counted. */
const [NEAR, , FAR] = DISTANCES;

/** Of a hosted database each round trip is felt by each request, whatever the load: one connection shows it best. */
const CONNECTIONS = 1;
/** Such requests take long, and vary little. */
const FEWER = 40;

/** The service, and what it is compared with, at some distance from the database. */
export type DistanceVariant = 'holdfast' | 'floor' | 'inFlights' | 'oneByOne';
/** All of them, in the order of the tables. */
export const DISTANCE_VARIANTS: readonly DistanceVariant[] = ['holdfast', 'floor', 'inFlights', 'oneByOne'];
type Place = `${DistanceVariant} ${(typeof DISTANCES)[number]}`;

const SCRIPTS: Record<DistanceVariant, string> = {
  holdfast: HOLDFAST,
  floor: 'variants/floor.js',
  inFlights: 'variants/in-flights.js',
  oneByOne: 'variants/one-by-one.js',
};

/** What was measured round by round at each distance, and how long a question and its answer took there, in milliseconds. */
export interface Distance {
  samples: Partial<Record<Place, Sample[]>>;
  roundTrips: Record<(typeof DISTANCES)[number], number>;
}

/** Orders under new keys, one after the other. */
export async function distance({ world, ...context }: Context): Promise<Distance> {
  const way = world.keep(await DelayedDatabase.to(world.postgres.port));
  const services = await Promise.all(
    DISTANCE_VARIANTS.map(async (name) => ({
      name,
      service: await world.start(name, SCRIPTS[name], addressesBy(way, world.addressesFor(SCRIPTS[name]))),
    })),
  );
  const variants = services.flatMap(({ name, service }) =>
    DISTANCES.map((delayMs): Variant<Place> => ({
      name: `${name} ${delayMs}`,
      run: (amount) => {
        way.delayMs = delayMs;
        return measured({ world, ...context }, service, {
          ...orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } }),
          connections: CONNECTIONS,
        });
      },
    })),
  );
  const samples = await inRounds(variants, { ...context.amounts, requests: Math.ceil(context.amounts.requests / FEWER) });
  const roundTrips = {} as Distance['roundTrips'];
  for (const delayMs of DISTANCES) {
    way.delayMs = delayMs;
    roundTrips[delayMs] = await way.roundTrip(world.postgres.url('holdfast'));
  }
  await Promise.all(services.map(({ service }) => service.stop()));
  return { samples, roundTrips };
}

function addressesBy(way: DelayedDatabase, addresses: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(addresses).map(([variable, url]) => [variable, way.through(url)]));
}

/** How many round trips an order waits for: what the distance adds to it, in ways there and back. One number for each round. */
export function roundTripsOf(variant: DistanceVariant, { samples, roundTrips }: Distance): number[] {
  const far = samples[`${variant} ${FAR}`] ?? [];
  const near = samples[`${variant} ${NEAR}`] ?? [];
  return far.map(({ p50 }, round) => (p50 - (near[round]?.p50 ?? NaN)) / (roundTrips[FAR] - roundTrips[NEAR]));
}
