import type { Progress } from '../src/kernel/progress.js';
import type { Sample } from './measure.js';
import { orderOf } from './statistics.js';

/** `lead-in`: before each measurement some requests of the same kind, which open the connections that have been idle for too long. */
export type Part = 'lead-in' | 'measured';

/** Something that is measured beside others: `run` sends so many requests and says what one of them cost. */
export interface Variant<Name extends string = string> {
  name: Name;
  run(amount: number, part: Part): Promise<Sample>;
}

/** How much is measured. */
export interface Amounts {
  /** Rounds that count; one more before them warms up. */
  rounds: number;
  /** Requests of a variant in a round. */
  requests: number;
  /** Hears of each round. */
  progress: Progress;
}

/** The round that warms up has so many times the requests, up to so many: code is compiled well only after thousands of them. */
const WARM_UP = { times: 8, most: 8_000 };

/** How many requests lead in to `amount` of them. */
export function leadIn(amount: number): number {
  return Math.ceil(amount / 10);
}

/**
 * Measures each variant once a round, in another order each time, so that what changes while it runs changes for all of
 * them. `prepare` is called before each round with the number of its requests.
 */
export async function inRounds<Name extends string>(
  variants: readonly Variant<Name>[],
  { rounds, requests, progress }: Amounts,
  prepare: (amount: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<Partial<Record<Name, Sample[]>>> {
  const samples: Partial<Record<Name, Sample[]>> = {};
  for (let round = 0; round <= rounds; round += 1) {
    progress.count(round, rounds, 'rounds');
    const amount = round === 0 ? Math.min(requests * WARM_UP.times, Math.max(requests, WARM_UP.most)) : requests;
    await prepare(amount);
    for (const place of orderOf(variants.length, round)) {
      const variant = variants[place];
      if (!variant) continue;
      const sample = await sampleOf(variant, amount);
      if (round > 0) (samples[variant.name] ??= []).push(sample);
    }
  }
  return samples;
}

async function sampleOf(variant: Variant, amount: number): Promise<Sample> {
  try {
    await variant.run(leadIn(amount), 'lead-in');
    return await variant.run(amount, 'measured');
  } catch (error) {
    throw new Error(`${variant.name} failed`, { cause: error });
  }
}
