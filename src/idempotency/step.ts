import { SetMetadata } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Statement } from './postgres/statement.js';
import type { Reply } from './reply.js';
import type { Transaction } from './transaction.js';

/** The transaction commits, and the operation goes on with a step. */
export interface Next {
  readonly kind: 'next';
  readonly step: StepClass;
  readonly subjectId: string;
  readonly pending: Reply | undefined;
}

/**
 * Ends a transaction by naming the step that follows and the uuid of what it is about. `pending` is what a client is told
 * while the operation has no outcome (202); it must be given with the first step.
 */
export function next(step: StepClass, subjectId: string, pending?: Reply): Next {
  return { kind: 'next', step, subjectId, pending };
}

/** The outcome is unknown: the operation stays as it is and will be called again. */
export interface Park {
  readonly kind: 'park';
  readonly reason: string;
  readonly againMs: number | undefined;
}

/**
 * Ends a settling transaction without an outcome: the recoverer, or the client's retry, will call the step again. `againMs`:
 * when the recoverer is to come, in milliseconds, at least its own interval; without it the pauses double.
 */
export function park(reason: string, againMs?: number): Park {
  return { kind: 'park', reason, againMs };
}

/** The operation never was: its record goes, the key is unused again, and the client gets the error. */
export interface Undo {
  readonly kind: 'undo';
  readonly error: Error;
}

/**
 * Ends a settling transaction by taking the whole operation back. Only where it is certain that nothing happened outside,
 * now or earlier, and so at the first attempt of the first step alone: a later one's is an error, and the operation stays. What
 * the handler wrote must be deleted in the same transaction.
 */
export function undo(error: Error): Undo {
  return { kind: 'undo', error };
}

/** What a settling transaction may end in. */
export type StepEnd = Reply | Next | Park | Undo;

/** One run of a step. */
export interface StepRun {
  readonly accountId: string;
  /** Public id (`op_…`). */
  readonly operationId: string;
  /** The application's trace of the first request. */
  readonly traceId: string | null;
  /** The same on every attempt of this step of this operation, on every replica, and after a restore of the database. */
  readonly providerKey: string;
  /** 1 on the first attempt; grows whenever somebody takes the operation over. */
  readonly attempt: number;
  /** 1 for the step that the handler named; grows with each `next`. */
  readonly stepNo: number;
  /** How old the operation was when this process took it in hand, by the database's clock, in milliseconds. */
  readonly ageMs: number;
  /** Reads on a connection that busy handlers can't take away. */
  read<R extends QueryResultRow>(statement: Statement | string, values: unknown[]): Promise<R[]>;
}

/** What happens outside the database, in two halves that can be repeated. Mark the class with `@RecoverableStep()`. */
export interface Step<Outcome = unknown> {
  /**
   * Calls the outside, with no transaction open. It may run again at any time, after a crash for example, so whatever it
   * asks for must be idempotent under `run.providerKey`. An error thrown here counts as an unknown outcome.
   */
  call(subjectId: string, run: StepRun): Promise<Outcome>;
  /** Writes down what the outcome means. Runs inside a transaction that only the present holder of the operation can commit. */
  settle(tx: Transaction, subjectId: string, outcome: Outcome, run: StepRun): Promise<StepEnd>;
}

/** Any class that implements Step: the outcome's type is between a step's own two halves, the engine hands it through. */
export type StepClass = abstract new (...args: never[]) => {
  call(subjectId: string, run: StepRun): Promise<unknown>;
  settle(tx: Transaction, subjectId: string, outcome: never, run: StepRun): Promise<StepEnd>;
};

const STEP_NAMES = 'holdfast:step';

/** Under which names a step is stored. */
export interface StepNames {
  name: string;
  aliases: readonly string[];
}

/**
 * Makes a provider a step. Its name is a contract, not a label: it is stored with each operation that waits for the step, and
 * the provider's key derives from it. A step that is renamed therefore keeps its earlier names as `aliases` until no record
 * has them any more, and goes on with what was stored under them, with the provider keys of then. A process leaves operations
 * of steps that it doesn't know to those that do.
 */
export const RecoverableStep = (name: string, { aliases = [] }: { aliases?: readonly string[] } = {}): ClassDecorator =>
  SetMetadata(STEP_NAMES, { name, aliases } satisfies StepNames);

/** The name that `@RecoverableStep()` gave. @throws Error for a class without one */
export function stepName(step: object): string {
  const names = namesOfStep(step);
  if (!names) throw new Error('a step needs @RecoverableStep(name)');
  return names.name;
}

/** What `@RecoverableStep()` said; undefined for any other class. */
export function namesOfStep(candidate: object): StepNames | undefined {
  return Reflect.getMetadata(STEP_NAMES, candidate) as StepNames | undefined;
}

/** True for an end of any kind. */
export function isAnyEnd(result: unknown): result is StepEnd {
  return [...KINDS].some((kind) => isEnd(kind, result));
}

/** True for the given kind of end; anything else a handler returns is a plain body. */
export function isEnd<Kind extends StepEnd['kind']>(kind: Kind, result: unknown): result is Extract<StepEnd, { kind: Kind }> {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === kind && KINDS.has(kind);
}

const KINDS = new Set<StepEnd['kind']>(['reply', 'next', 'park', 'undo']);
