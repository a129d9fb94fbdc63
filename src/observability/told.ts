import { publicOperationId } from '../idempotency/index.js';
import type { LabelsOf } from './metrics.registry.js';

/** What became of a request with a key, in the one set of words that metrics, log and traces have for it. */
export type Outcome = LabelsOf<'idempotency_requests_total'>['outcome'];

/** What became of a request: its metric, its line in the log and its span say the same. */
export interface Told {
  outcome: Outcome;
  /** As it is compared. */
  key?: string | undefined;
  /** Of the operation that the answer is about, where it is known: a uuid. */
  operationId?: string | undefined;
}

const TOLD = Symbol('holdfast:told');

/** Leaves what became of a request with it, for its line in the log and its span. */
export function tell(request: unknown, { outcome, key, operationId }: Told): void {
  if (typeof request === 'object' && request !== null) (request as { [TOLD]?: Told })[TOLD] = { outcome, key, operationId };
}

/** What was told of a request; undefined of one that takes no key, or never came to that. */
export function toldOf(request: object): Told | undefined {
  return (request as { [TOLD]?: Told })[TOLD];
}

/** Public id of the operation that an answer is about, where one is known: as the answer names it, or as it was told. */
export function operationOf(request: object, reply: { getHeader(name: string): unknown }): string | undefined {
  const header = reply.getHeader('operation-id');
  if (typeof header === 'string') return header;
  const operationId = toldOf(request)?.operationId;
  return operationId === undefined ? undefined : publicOperationId(operationId);
}
