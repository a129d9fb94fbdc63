import type { Violations } from '../transaction.js';
import { databaseError } from './errors.js';

/** What violated constraints mean in a transaction. */
export class Meanings {
  private readonly violations: Violations = {};

  /** Constraint name → the refusal to answer. */
  declare(violations: Violations): void {
    Object.assign(this.violations, violations);
  }

  /** The refusal that `error`, a violated constraint, was declared to mean; or the error itself. */
  of(error: unknown): unknown {
    return this.violations[databaseError(error)?.constraint ?? '']?.() ?? error;
  }
}
