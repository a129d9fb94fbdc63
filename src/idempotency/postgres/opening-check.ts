import type { Call, Result } from './statement.js';

/** The first statements of a transaction and what their results mean; nothing is written before they say `won`. */
export interface OpeningCheck<Found> {
  calls(): Call[];
  evaluate(results: Result[]): Opened<Found>;
  /** What it wins is locked by it, for as long as the transaction lasts: then what waits for other locks may leave together with it. */
  readonly locks?: true;
}

/** What the check found. Not won: the transaction will never commit. */
export interface Opened<Found> {
  won: boolean;
  now: Date;
  found: Found;
  /** Won, and yet the work must not run: why. */
  refusal?: Error;
}

/** The check said no. Whatever the handler does with this error, the transaction can't commit. */
export class ClaimLost extends Error {}
