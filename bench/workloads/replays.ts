import { HOLDFAST, measured, orders, type Context } from '../context.js';
import type { Sample } from '../measure.js';
import { inRounds, leadIn, type Part, type Variant } from '../rounds.js';
import type { Service } from '../service.js';

/**
 * `hot`: by the process that executed the requests. `cold`: by another one on the same database, which has never seen
 * their keys. `static`: an endpoint of the same shape whose answer is always the same.
 */
export type ReplayVariant = 'hot' | 'cold' | 'static';

/**
 * Replays are over so soon that more of them are needed for the same accuracy, and as many of each kind: waking up costs a
 * process up to 30 ms a round, whatever number of requests shares them.
 */
export const MORE_REPLAYS = 4;

/** Retries of orders that have been answered. */
export async function replays(context: Context): Promise<Partial<Record<ReplayVariant, Sample[]>>> {
  const { world, loader, amounts } = context;
  const [holdfast, other, fixed] = await Promise.all([
    world.start('holdfast', HOLDFAST),
    world.start('the other holdfast', HOLDFAST),
    world.start('the static endpoint', 'variants/static.js'),
  ]);
  const place = (amount: number, part: Part) =>
    loader.run(orders(holdfast, { amount, traffic: { kind: 'fresh', keys: 'uuidv7', remember: part } }));
  const variant = (name: ReplayVariant, service: Service): Variant<ReplayVariant> => ({
    name,
    run: (amount, part) => measured(context, service, orders(service, { amount, traffic: { kind: 'again', of: part } })),
  });
  const variants = [variant('hot', holdfast), variant('cold', other), variant('static', fixed)];
  // Each key is sent once: with the second time the cold one would be a hot one.
  const samples = await inRounds(variants, { ...amounts, requests: amounts.requests * MORE_REPLAYS }, async (amount) => {
    await place(leadIn(amount), 'lead-in');
    await place(amount, 'measured');
  });
  await Promise.all([holdfast, other, fixed].map((service) => service.stop()));
  return samples;
}
