import { LRUCache } from 'lru-cache';
import type { Completed } from './record.store.js';

/** A completed answer with the fingerprint that a retry must have to get it. */
export interface Remembered extends Completed {
  fingerprint: Buffer;
}

const BYTES = 32 * 1024 * 1024;
/** What an entry costs beside its body: key, fingerprint, headers, the map's own. */
const OVERHEAD = 1_000;

/**
 * Completed answers, which never change, kept in this process: bounded in bytes, each only for what is left of its
 * window, counted on the monotonic clock. A miss says nothing; the database decides.
 */
export class ReplayCache {
  private readonly entries = new LRUCache<string, Remembered>({
    maxSize: BYTES,
    sizeCalculation: ({ response }) => response.body.length + OVERHEAD,
    ttl: 1,
  });

  find(scope: string): Remembered | undefined {
    return this.entries.get(scope);
  }

  remember(scope: string, answer: Remembered): void {
    const ttl = Math.floor(answer.remainingMs);
    if (ttl <= 0) return;
    const { response } = answer;
    this.entries.set(scope, { ...answer, response: { ...response, body: ownBytes(response.body) } }, { ttl });
  }
}

/** Small buffers are cut from common slabs of 8 KiB, each of which would stay for as long as one of its pieces: 100 MB beyond the bound were seen. */
function ownBytes(body: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
}
