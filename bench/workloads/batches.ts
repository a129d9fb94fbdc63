import { HOLDFAST, measured, orders, type Context } from '../context.js';
import { measure, type Sample } from '../measure.js';
import { inRounds, type Variant } from '../rounds.js';

/** The same orders, each by a request of its own, or so many in one. */
export type BatchVariant = 'single' | 'batched';

/** Orders in a batch: as many as one may have. */
const ORDERS = 100;
/**
 * Connections that send batches. Two of a hundred orders nearly always have a product in common, so that each waits for those before it:
 * with 32 in line the last one waited for longer than a lock may be waited for, on a slow machine.
 */
const BATCHING = 4;
/** A round of batches has few requests; more orders make up for that. */
const MORE = 4;

/** Orders alone and in batches; figures are those of one order, but for the times, which are those of a request. */
export async function batches(context: Context): Promise<Partial<Record<BatchVariant, Sample[]>>> {
  const { world, loader, amounts } = context;
  const service = await world.start('holdfast', HOLDFAST);
  const variants: Variant<BatchVariant>[] = [
    {
      name: 'single',
      run: (amount) => measured(context, service, orders(service, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } })),
    },
    {
      name: 'batched',
      run: async (amount) => {
        const job = orders(service, { amount: Math.ceil(amount / ORDERS), traffic: { kind: 'batches', orders: ORDERS } });
        return ofOne(
          await measure(service, world.postgres.pid, () => loader.run({ ...job, path: '/v1/orders/batch', connections: BATCHING }, [200])),
        );
      },
    },
  ];
  const samples = await inRounds(variants, { ...amounts, requests: amounts.requests * MORE });
  await service.stop();
  return samples;
}

function ofOne(sample: Sample & { nodeUs: number }): Sample {
  const { nodeUs, postgresUs, totalUs, perSecond } = sample;
  return {
    ...sample,
    nodeUs: nodeUs / ORDERS,
    postgresUs: postgresUs / ORDERS,
    totalUs: totalUs / ORDERS,
    perSecond: perSecond * ORDERS,
  };
}
