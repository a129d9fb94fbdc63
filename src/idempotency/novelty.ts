import { timeOfKey } from './key.js';

/** Clients make a key when they first send it, and retry after a second or more. In milliseconds. */
const FRESH_MS = 1_000;
/** So many keys are remembered, roughly: the weight of each fades. */
const MEMORY = 32;
/** From this share of stored keys on, a look costs less than an attempt in vain. */
const OFTEN = 0.25;

/**
 * Guesses whether a key is new, by the time that a UUIDv7 tells, by what the last keys were otherwise. A wrong guess costs
 * one flight and changes nothing else.
 */
export class Novelty {
  private stored = 0;

  isExpectedOf(key: string): boolean {
    const time = timeOfKey(key);
    return time === null ? this.stored < OFTEN : Date.now() - time < FRESH_MS;
  }

  /** Tells what became of a key. */
  saw(isNew: boolean): void {
    this.stored += (Number(!isNew) - this.stored) / MEMORY;
  }
}
