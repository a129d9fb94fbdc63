import type { Violations } from '../transaction.js';
import { databaseError } from './errors.js';

/** What violated constraints mean in a transaction, as its handler has declared. */
export class DeclaredViolations {
  private readonly violations: Violations = {};

  /** Constraint name → the refusal to answer. */
  declare(violations: Violations): void {
    Object.assign(this.violations, violations);
  }

  /** The refusal that `error`, a violated constraint, was declared to mean; or the error itself. */
  meaningOf(error: unknown): unknown {
    return this.violations[databaseError(error)?.constraint ?? '']?.() ?? error;
  }
}
