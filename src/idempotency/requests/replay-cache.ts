import { LRUCache } from 'lru-cache';
import type { Completed } from '../records/record.store.js';

/** A completed answer with the fingerprint that a retry must have to get it. */
export interface Remembered extends Completed {
  fingerprint: string;
}

const BYTES = 32 * 1024 * 1024;
/** What an entry costs beside its body: key, fingerprint, headers, the map's own. */
const OVERHEAD = 1_000;

/**
 * Completed answers, which never change, kept in this process: bounded in bytes, each only for what is left of its
 * window, counted on the monotonic clock. A miss says nothing; the database decides.
 */
export class ReplayCache {
  private readonly entries = new LRUCache<string, { answer: Remembered; until: number }>({
    maxSize: BYTES,
    // V8 takes two bytes for each character of a text that is not Latin-1.
    sizeCalculation: ({ answer }) => answer.response.body.length * 2 + OVERHEAD,
  });

  find(scope: string): Remembered | undefined {
    const entry = this.entries.get(scope);
    return entry && performance.now() < entry.until ? entry.answer : undefined;
  }

  remember(scope: string, answer: Remembered): void {
    if (answer.remainingMs > 0) this.entries.set(scope, { answer, until: performance.now() + answer.remainingMs });
  }
}
