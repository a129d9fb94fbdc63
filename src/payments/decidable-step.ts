import type { Step, StepEnd, StepRun, Transaction } from '../idempotency/index.js';
import type { Found, Outcome } from './provider/provider.js';

/** What a person decided. `providerReference`: the provider's id of what happened, where the person knows it. */
export interface Verdict {
  happened: boolean;
  providerReference: string | null;
}

/** A step at the provider whose outcome a person can decide, where the provider can't tell. */
export interface DecidableStep extends Step<Outcome> {
  /** Asks the provider what became of it, and sends nothing. @throws Error when the provider can't be asked */
  lookUp(subjectId: string, run: StepRun): Promise<Found>;
  /** Writes down what was decided, in place of `settle`. */
  decide(tx: Transaction, subjectId: string, verdict: Verdict, run: StepRun): Promise<StepEnd>;
}
