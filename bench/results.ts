import type { Durability, Machine } from './machine.js';
import type { Sample } from './measure.js';
import { quotients, rounded, spread, type Spread } from './statistics.js';
import type { BatchVariant } from './workloads/batches.js';
import { DISTANCES, DISTANCE_VARIANTS, roundTripsOf, type Distance, type DistanceVariant } from './workloads/distance.js';
import type { First, FirstVariant } from './workloads/first.js';
import type { HotKey } from './workloads/hot-key.js';
import type { Mix } from './workloads/mix.js';
import type { Payments, PaymentVariant } from './workloads/payments.js';
import type { ReplayVariant } from './workloads/replays.js';

/** What is compared: CPU time of one request, the service's above, the other one's below, and what it is to be at most. */
export const RATIOS = {
  firstVsFloor: {
    label: 'first request ÷ the same by hand on node:http',
    above: ['first', 'holdfast'],
    below: ['first', 'floor'],
    atMost: 1.25,
  },
  firstVsPlain: {
    label: 'first request ÷ no idempotency, one by one',
    above: ['first', 'holdfast'],
    below: ['first', 'oneByOne'],
    atMost: 1,
  },
  firstVsPlainFlights: {
    label: 'first request ÷ no idempotency, two flights',
    above: ['first', 'holdfast'],
    below: ['first', 'inFlights'],
    atMost: 1.5,
  },
  firstVsNodeIdempotency: {
    label: 'first request ÷ @node-idempotency/nestjs with Redis',
    above: ['first', 'holdfast'],
    below: ['first', 'nodeIdempotency'],
    atMost: 0.8,
  },
  rowSecurity: {
    label: 'first request, by roles under row-level security ÷ by one role without',
    above: ['first', 'holdfast'],
    below: ['first', 'oneRole'],
    atMost: 1.06,
  },
  claimFirstVsOptimistic: {
    label: 'first request, claim first ÷ optimistic',
    above: ['first', 'claimFirst'],
    below: ['first', 'holdfast'],
    atMost: 1.5,
  },
  hotReplayVsStatic: {
    label: 'replay ÷ an answer that is always the same',
    above: ['replays', 'hot'],
    below: ['replays', 'static'],
    atMost: 1,
  },
  coldReplayVsHot: {
    label: 'replay by another process ÷ by the one that executed',
    above: ['replays', 'cold'],
    below: ['replays', 'hot'],
    atMost: 3,
  },
  batchedVsSingle: {
    label: 'an order in a batch of 100 ÷ alone',
    above: ['batches', 'batched'],
    below: ['batches', 'single'],
    atMost: 0.5,
  },
  paymentVsFloor: {
    label: 'a payment ÷ the same by hand on node:http',
    above: ['payments', 'holdfast'],
    below: ['payments', 'floor'],
    atMost: 1.3,
  },
} as const;

export type RatioName = keyof typeof RATIOS;

/** What is told by a ratio of times and not of CPU: round trips an order waits for, and another account's p99 beside a crowd, over that without it. */
export type TimeRatioName = 'distantRoundTrips' | 'fairness200' | 'fairness600';

export const RATIO_ENTRIES = Object.entries(RATIOS) as [RatioName, (typeof RATIOS)[RatioName]][];

/** What a variant costs and how fast it is, over the rounds. The names say the units: µs of CPU time a request, and ms. */
export type Figures = Partial<Record<keyof Sample, Spread>>;

/** What one account sees beside another that hammers one key; milliseconds. */
export interface HotKeyFigures extends HotKey {
  /** The quiet account's p99, with the hammer over without it. */
  p99Ratio: Record<Exclude<keyof HotKey, 'quiet'>, number>;
}

/** What an order takes from one connection, in milliseconds, by the distance of the database; and how many round trips it waits for. */
export type DistanceFigures = Record<DistanceVariant, { p50: Record<string, number>; roundTrips: Spread }>;

/** One thing that is promised, and what was found. `met` is null where the measurement can't tell. */
export interface Goal {
  goal: string;
  measured: string;
  met: boolean | null;
}

/** All that a run of the benchmark found; this is the JSON object. */
export interface Results {
  /** Medians over the rounds of the ratio within a round; null where it could not be measured. */
  ratios: Record<RatioName | TimeRatioName, number | null>;
  /** Why a ratio or a variant is missing. */
  reasons: Record<string, string>;
  spreads: Partial<Record<RatioName, Spread>>;
  workloads: {
    first: Partial<Record<FirstVariant, Figures>>;
    replays: Partial<Record<ReplayVariant, Figures>>;
    batches: Partial<Record<BatchVariant, Figures>>;
    mix: Figures & Pick<Mix, 'statuses' | 'effects'>;
    payments: Pick<Payments, 'effects'> & { variants: Partial<Record<PaymentVariant, Figures>>; providerUs: Spread };
    distance: DistanceFigures;
    hotKey: HotKeyFigures;
  };
  machine: Machine;
  settings: { rounds: number; requestsPerRound: number; connections: number; baseRows: number } & Durability;
  goals: Record<string, Goal>;
}

/** What the workloads measured. */
export interface Measured {
  first: First;
  replays: Partial<Record<ReplayVariant, Sample[]>>;
  batches: Partial<Record<BatchVariant, Sample[]>>;
  mix: Mix;
  payments: Payments;
  distance: Distance;
  hotKey: HotKey;
}

/** Puts the samples together; every number is rounded to three digits. */
export function resultsOf(measured: Measured, machine: Machine, settings: Results['settings']): Results {
  const { first, mix, payments, hotKey } = measured;
  const compared = ratiosOf(measured);
  const hotKeyFound = hotKeyFigures(hotKey);
  const far = distanceFigures(measured.distance);
  const { crowd200: fairness200, crowd600: fairness600 } = hotKeyFound.p99Ratio;
  const ratios = { ...compared.ratios, distantRoundTrips: far.holdfast.roundTrips.median, fairness200, fairness600 };
  return {
    ...compared,
    ratios,
    workloads: {
      first: figuresOfAll(first.samples),
      replays: figuresOfAll(measured.replays),
      batches: figuresOfAll(measured.batches),
      mix: { ...figures(mix.samples), statuses: mix.statuses, effects: mix.effects },
      payments: {
        variants: figuresOfAll(payments.samples),
        providerUs: roundedSpread(spread(payments.providerUs)),
        effects: payments.effects,
      },
      distance: far,
      hotKey: hotKeyFound,
    },
    machine,
    settings,
    goals: { ...ratioGoals(compared.ratios), ...goalsOf(measured, hotKeyFound, settings), distantRoundTrips: distanceGoal(far) },
  };
}

function ratiosOf({
  first,
  replays,
  batches,
  payments,
}: Measured): Pick<Results, 'reasons' | 'spreads'> & { ratios: Record<RatioName, number | null> } {
  const samples: Record<string, Partial<Record<string, Sample[]>>> = {
    first: first.samples,
    replays,
    batches,
    payments: payments.samples,
  };
  const ratios: Partial<Record<RatioName, number | null>> = {};
  const reasons: Results['reasons'] = { ...first.reasons };
  const spreads: Results['spreads'] = {};
  for (const [name, { above, below }] of RATIO_ENTRIES) {
    const [one, other] = [above, below].map(([workload, variant]) => samples[workload]?.[variant]?.map((sample) => sample.totalUs));
    if (one && other) {
      spreads[name] = roundedSpread(spread(quotients(one, other)));
    } else {
      reasons[name] = first.reasons[below[1] as FirstVariant] ?? 'it was not measured';
    }
    ratios[name] = spreads[name]?.median ?? null;
  }
  return { ratios: ratios as Record<RatioName, number | null>, reasons, spreads };
}

function figuresOfAll<Name extends string>(samples: Partial<Record<Name, Sample[]>>): Partial<Record<Name, Figures>> {
  const entries = Object.entries<Sample[] | undefined>(samples).map(([name, list]) => [name, figures(list ?? [])]);
  return Object.fromEntries(entries) as Partial<Record<Name, Figures>>;
}

function figures(samples: readonly Sample[]): Figures {
  const names = Object.keys(samples[0] ?? {}) as (keyof Sample)[];
  return Object.fromEntries(names.map((name) => [name, roundedSpread(spread(samples.map((sample) => sample[name] ?? NaN)))]));
}

function roundedSpread({ median, low, high }: Spread): Spread {
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}

function hotKeyFigures({ quiet, held, unbounded, crowd200, crowd600 }: HotKey): HotKeyFigures {
  const over = ({ p99 }: HotKey['quiet']): number => rounded(p99 / quiet.p99);
  const shorter = (seen: HotKey['quiet']): HotKey['quiet'] => ({
    p50: rounded(seen.p50),
    p99: rounded(seen.p99),
    longest: rounded(seen.longest),
    hammerPerSecond: rounded(seen.hammerPerSecond),
  });
  return {
    quiet: shorter(quiet),
    held: shorter(held),
    unbounded: shorter(unbounded),
    crowd200: shorter(crowd200),
    crowd600: shorter(crowd600),
    p99Ratio: { held: over(held), unbounded: over(unbounded), crowd200: over(crowd200), crowd600: over(crowd600) },
  };
}

function distanceFigures(measured: Distance): DistanceFigures {
  const figuresFor = (variant: DistanceVariant): DistanceFigures[DistanceVariant] => ({
    p50: Object.fromEntries(
      DISTANCES.map((delay) => [delay, rounded(spread((measured.samples[`${variant} ${delay}`] ?? []).map(({ p50 }) => p50)).median)]),
    ),
    roundTrips: roundedSpread(spread(roundTripsOf(variant, measured))),
  });
  return Object.fromEntries(DISTANCE_VARIANTS.map((variant) => [variant, figuresFor(variant)])) as DistanceFigures;
}

function distanceGoal({ holdfast: { roundTrips } }: DistanceFigures): Goal {
  return {
    goal: `round trips to the database that a first request waits for: at most ${ROUND_TRIPS}`,
    measured: String(roundTrips.median),
    met: roundTrips.median <= ROUND_TRIPS,
  };
}

function ratioGoals(ratios: Record<RatioName, number | null>): Results['goals'] {
  const goals = RATIO_ENTRIES.map(([name, { label, atMost }]): [RatioName, Goal] => {
    const found = ratios[name];
    return [
      name,
      { goal: `${label}: at most ${atMost}`, measured: String(found ?? 'not measured'), met: found === null ? null : found <= atMost },
    ];
  });
  return Object.fromEntries(goals);
}

const POOL_WAIT_MS = 50;
const HOT_KEY_P99 = 2;
const ROUND_TRIPS = 1.5;
const CROWD_P99 = { small: 3, large: 5 };

function goalsOf(
  { mix, payments }: Measured,
  { held, p99Ratio }: HotKeyFigures,
  { fsync, synchronous_commit, full_page_writes }: Durability,
): Results['goals'] {
  return {
    durable: {
      goal: 'PostgreSQL loses nothing that it has confirmed',
      measured: `fsync ${fsync}, synchronous_commit ${synchronous_commit}, full_page_writes ${full_page_writes}`,
      met: [fsync, synchronous_commit, full_page_writes].every((setting) => setting === 'on'),
    },
    oneOrderPerKey: {
      goal: 'one order for each key, whatever is sent again',
      measured: `${mix.effects.keys} keys, ${mix.effects.orders} orders`,
      met: mix.effects.keys === mix.effects.orders,
    },
    oneChargePerPayment: {
      goal: 'one charge for each payment',
      measured: `${payments.effects.payments} payments, ${payments.effects.charges} charges`,
      met: payments.effects.payments === payments.effects.charges,
    },
    hotKeyHurtsNobodyElse: {
      goal: `another account's p99 beside one that hammers a key: at most ${HOT_KEY_P99} times that without it`,
      measured: `${p99Ratio.held} held back, ${p99Ratio.unbounded} unbounded`,
      met: Math.max(p99Ratio.held, p99Ratio.unbounded) <= HOT_KEY_P99,
    },
    crowdOf200: {
      goal: `another account's p99 beside 200 connections with new keys: at most ${CROWD_P99.small} times that without them`,
      measured: String(p99Ratio.crowd200),
      met: p99Ratio.crowd200 <= CROWD_P99.small,
    },
    crowdOf600: {
      goal: `another account's p99 beside 600 connections with new keys: at most ${CROWD_P99.large} times that without them`,
      measured: String(p99Ratio.crowd600),
      met: p99Ratio.crowd600 <= CROWD_P99.large,
    },
    noPoolWait: {
      goal: `one account's hot key makes no other account wait for a connection for more than ${POOL_WAIT_MS} ms`,
      measured: `no answer took longer than ${held.longest} ms`,
      // A longer answer may have waited for something else.
      met: held.longest <= POOL_WAIT_MS ? true : null,
    },
  };
}
