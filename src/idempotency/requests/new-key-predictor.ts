import { timeOfKey } from './late-requests.js';

/** Clients make a key when they first send it, and most retry after a second or more. In milliseconds. */
const YOUNG_MS = 1_000;
/** An exponential moving average over about so many keys. */
const MEMORY = 32;
/** From this share of stored keys on, a look costs less than an attempt in vain. */
const OFTEN = 0.25;

/** What the time in a key tells. */
type Age = 'young' | 'old' | 'unknown';

/**
 * Guesses whether a key is new: by the time that a UUIDv7 tells, and by what became of the last keys of its kind. A wrong
 * guess costs one round trip and changes nothing else.
 */
export class NewKeyPredictor {
  /** The share of stored keys among the last ones; at first, old keys are expected to be retries. */
  private readonly stored = { young: 0, old: 1, unknown: 0 };

  /** Whether to try the key as a new one before looking for a stored answer. */
  predictsNew(key: string): boolean {
    return this.stored[ageOf(key)] < OFTEN;
  }

  /** Whether the key can have been used some time ago, for all that it tells: longer than most clients wait before a retry. */
  mayBeOld(key: string): boolean {
    return ageOf(key) !== 'young';
  }

  /** Tells what became of a key. */
  record(key: string, isNew: boolean): void {
    const age = ageOf(key);
    this.stored[age] += (Number(!isNew) - this.stored[age]) / MEMORY;
  }
}

function ageOf(key: string): Age {
  const time = timeOfKey(key);
  if (time === null) return 'unknown';
  return Date.now() - time < YOUNG_MS ? 'young' : 'old';
}
