import type { Result } from './statement.js';

/** How a COMMIT ended. `unknown`: the connection broke before the answer came, so it may have happened or not. */
export type CommitResult =
  { kind: 'committed'; result: Result } | { kind: 'rolled-back'; error: unknown } | { kind: 'unknown'; error: unknown };
