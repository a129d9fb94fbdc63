import { tracingChannel } from 'node:diagnostics_channel';
import type { Call } from './postgres/statement.js';

/** Statements that leave in one packet, on the channel `holdfast:sql`. */
export interface SentStatements {
  /** Their names; of one without a name its first word. Never a value. */
  readonly statements: readonly string[];
  /** From the end on; with `error` where a statement failed. */
  result?: { error?: unknown };
  /** What kept them from being sent, or the answer from being read. */
  error?: unknown;
}

/** One run of a step, from its call to what was settled, on the channel `holdfast:step`. */
export interface RunningStep {
  readonly step: string;
  readonly stepNo: number;
  readonly attempt: number;
  /** uuid */
  readonly accountId: string;
  /** Public id (`op_…`). */
  readonly operationId: string;
  /** The key that the client sent; null where the application started the operation by itself. */
  readonly idempotencyKey: string | null;
  /** What the option `traceparent` gave when the operation began. */
  readonly traceparent: string | null;
  /** From the end on: whether the operation goes on with another step, or where it was left. */
  result?: { kind: 'advanced' | 'completed' | 'pending' | 'undone' };
  error?: unknown;
}

/** Tells of each packet of statements. What several requests read in one packet is told of each of them. */
export const SQL = tracingChannel<unknown, SentStatements>('holdfast:sql');

/** Tells of each run of a step. */
export const STEPS = tracingChannel<unknown, RunningStep>('holdfast:step');

/** Sends, and tells of it where somebody listens. */
export function tellSql<T extends object>(calls: readonly Pick<Call, 'name' | 'text'>[], send: () => Promise<T>): Promise<T> {
  return SQL.hasSubscribers ? SQL.tracePromise(send, { statements: calls.map(nameOf) }) : send();
}

function nameOf({ name, text }: Pick<Call, 'name' | 'text'>): string {
  return name ?? /\w+/.exec(text)?.[0].toUpperCase() ?? '';
}
