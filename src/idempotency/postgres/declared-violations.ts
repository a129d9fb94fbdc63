import type { Violations } from '../transaction.js';
import { violates } from './errors.js';

/** What violated constraints mean in a transaction, as its handler has declared. */
export class DeclaredViolations {
  private readonly violations: Violations = {};

  /** Constraint name → the refusal to answer. */
  declare(violations: Violations): void {
    Object.assign(this.violations, violations);
  }

  /** The refusal that `error`, a violated constraint, was declared to mean; or the error itself. */
  meaningOf(error: unknown): unknown {
    const declared = Object.entries(this.violations).find(([constraint]) => violates(error, constraint));
    return declared ? declared[1]() : error;
  }
}
