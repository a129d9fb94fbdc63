import type { BatchVariant } from '../workloads/batches.js';
import type { FirstVariant } from '../workloads/first.js';
import type { PaymentVariant } from '../workloads/payments.js';
import type { ReplayVariant } from '../workloads/replays.js';

/** What the variants are called in tables and charts, in the order in which they stand there. */
export const FIRST_LABELS: Record<FirstVariant, string> = {
  holdfast: 'Holdfast',
  oneRole: 'Holdfast, by one role',
  claimFirst: 'Holdfast, claim first',
  floor: 'the same by hand on node:http',
  inFlights: 'no idempotency, two flights',
  oneByOne: 'no idempotency, one by one',
  nodeIdempotency: '@node-idempotency/nestjs, Redis',
  pgbench: 'pgbench, the same transaction',
};

export const REPLAY_LABELS: Record<ReplayVariant, string> = {
  hot: 'Holdfast, the process that executed',
  cold: 'Holdfast, another process',
  static: 'an answer that is always the same',
};

export const BATCH_LABELS: Record<BatchVariant, string> = {
  single: 'an order alone',
  batched: 'an order in a batch of 100',
};

export const PAYMENT_LABELS: Record<PaymentVariant, string> = {
  holdfast: 'a payment',
  floor: 'the same by hand on node:http',
};

/** The labels that have figures, in the labels' order. */
export function labelled<Name extends string, F>(
  labels: Record<Name, string>,
  figures: Partial<Record<Name, F>>,
): [label: string, figures: F][] {
  return (Object.keys(labels) as Name[]).flatMap((name): [string, F][] => {
    const found = figures[name];
    return found === undefined ? [] : [[labels[name], found]];
  });
}
