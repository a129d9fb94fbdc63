import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ServerTimeline } from '../postgres/server-timeline.js';
import type { Completed } from '../records/record.store.js';

/** A completed answer with the fingerprint that a retry must have to get it. */
export interface Remembered extends Completed {
  fingerprint: string;
}

const BYTES = 32 * 1024 * 1024;
/** What an entry costs beside its body: key, fingerprint, headers, the map's own. */
const OVERHEAD = 1_000;

interface Entry {
  answer: Remembered;
  /** Of the monotonic clock. */
  until: number;
  /** The term of the server that gave it. */
  term: number;
}

/**
 * Completed answers, which never change, kept in this process: bounded in bytes, each only for what is left of its
 * window, counted on the monotonic clock, and only while the server that gave it is known to be there: another one may have
 * lost it. A miss says nothing; the database decides.
 */
@Injectable()
export class ReplayCache {
  private readonly entries = new LRUCache<string, Entry>({
    maxSize: BYTES,
    // V8 takes two bytes for each character of a text that is not Latin-1.
    sizeCalculation: ({ answer }) => answer.response.body.length * 2 + OVERHEAD,
  });

  constructor(private readonly server: ServerTimeline) {}

  /** To be taken before an answer is asked for, and given with it. */
  get term(): number {
    return this.server.term;
  }

  find(scope: string): Remembered | undefined {
    const entry = this.entries.get(scope);
    if (!entry) return undefined;
    const now = performance.now();
    return now < entry.until && this.server.vouchesFor(entry.term, now) ? entry.answer : undefined;
  }

  remember(scope: string, answer: Remembered, term: number): void {
    if (answer.remainingMs > 0) this.entries.set(scope, { answer, until: performance.now() + answer.remainingMs, term });
  }
}
