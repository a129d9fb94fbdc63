import { Logger } from '@nestjs/common';
import { databaseError } from './errors.js';
import type { Call } from './statement.js';

/** duplicate_prepared_statement: nobody here has prepared it in this session. */
const PREPARED_BY_ANOTHER = '42P05';

/**
 * Whether names say nothing: a pooler gives each transaction another session and doesn't know what is prepared in it, as PgBouncer before
 * 1.21 in transaction mode. Nothing but a name that is taken tells, and from then on each statement of this process is prepared anew each time.
 */
let areVain = false;

/** The calls with their names, where these say anything. */
export function named(calls: readonly Call[]): readonly Call[] {
  return areVain ? calls.map(({ text, values }) => ({ text, ...(values && { values }) })) : calls;
}

/** Learns from what failed whether names say anything. */
export function heedName(error: unknown): void {
  if (areVain || databaseError(error)?.code !== PREPARED_BY_ANOTHER) return;
  areVain = true;
  new Logger('Idempotency').warn(
    'a pooler in between does not carry prepared statements: each is prepared anew each time, which costs more',
  );
}
