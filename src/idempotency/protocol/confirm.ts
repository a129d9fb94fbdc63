import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';

const log = new Logger('Idempotency');

/** What a look at the database told of a COMMIT whose answer was lost. */
export type Confirmation<Found> =
  | { kind: 'committed' }
  | { kind: 'rolled-back' }
  /** The key, or the operation, stands for something else by now, or for what was committed here. */
  | { kind: 'lost'; found: Found }
  /** The other end may still be committing. */
  | { kind: 'unknown' };

/** Looks, while the database restarts or fails over: with the pauses between them six seconds. */
const LOOKS = 6;

/** A COMMIT went out, and it is not known to have happened: it was rolled back, or the database can't say. */
export class CommitUnconfirmed extends Error {
  constructor(cause: unknown) {
    super('a COMMIT got no answer, and is not known to have happened', { cause });
  }
}

/** Looks until it is known what became of a COMMIT, within bounds; a look that fails tells nothing. Never rejects. */
export async function confirmCommit<Found>(look: () => Promise<Confirmation<Found>>): Promise<Confirmation<Found>> {
  for (let at = 1; ; at += 1) {
    const confirmation = await look().catch((error: unknown): Confirmation<Found> => {
      log.debug(`look ${at} after a lost COMMIT: ${String(error)}`);
      return { kind: 'unknown' };
    });
    if (confirmation.kind !== 'unknown' || at === LOOKS) return confirmation;
    await sleep(50 * 2 ** at);
  }
}
