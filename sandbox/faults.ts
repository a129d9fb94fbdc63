import { z } from 'zod';

const probability = z.number().min(0).max(1).default(0);

/** What `PUT /faults` takes: probabilities from 0 to 1, and a latency in milliseconds; what is missing is 0. */
const faultSettings = z.strictObject({
  refuse: probability,
  dropBefore: probability,
  dropAfter: probability,
  hangAfter: probability,
  error500: probability,
  latencyMs: z.number().min(0).max(600_000).default(0),
});

/** `PUT /faults` in full: an integer `seed` restarts the pseudo-random sequence. */
export const faultCommand = faultSettings.extend({ seed: z.int().optional() });

type FaultSettings = z.infer<typeof faultSettings>;

/** In the order in which a request would meet them: the first that strikes is the only one that counts. */
const FAULTS = ['refuse', 'dropBefore', 'error500', 'dropAfter', 'hangAfter'] as const;

/** What is to go wrong with one request, decided on its arrival, so that later settings don't change it. */
export interface Fate {
  fault: (typeof FAULTS)[number] | 'none';
  latencyMs: number;
}

/** mulberry32: 32 bits of state, a number in [0, 1) per call; small, well known, and the same on every machine. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The faults in force. They live in memory: a restarted sandbox behaves well, and starts from seed 1 again. */
export class Faults {
  private settings: FaultSettings = faultSettings.parse({});
  private random = mulberry32(1);

  show(): FaultSettings {
    return this.settings;
  }

  set({ seed, ...settings }: z.infer<typeof faultCommand>): void {
    this.settings = settings;
    if (seed !== undefined) this.random = mulberry32(seed);
  }

  /**
   * Decides what happens to the next request. Every request takes one number per kind of fault, whatever the
   * settings, so with one seed the n-th request draws the same numbers in every run.
   */
  draw(): Fate {
    const struck = FAULTS.map((fault) => this.random() < this.settings[fault]);
    return { fault: FAULTS.find((_, index) => struck[index]) ?? 'none', latencyMs: this.settings.latencyMs };
  }
}
