import type { RetryReason } from './attempt.js';
import type { Done, Refused } from './outcome.js';

/** An intent as a store keeps it: JSON, without any credential. */
export interface StoredIntent {
  /** The layout of this record. */
  version: 1;
  key: string;
  /** Whose intent it is: the `scope` of the client that made it. */
  scope: string;
  method: string;
  /** Behind the client's `baseUrl`. */
  path: string;
  /** Its own headers; never `Authorization` or `Cookie`. */
  headers: Record<string, string>;
  /** The bytes to send, the same with every attempt; null where there are none. */
  body: string | null;
  /** The lane of the queue that it waits in, where it is one of the queue's. */
  lane?: string;
  /** When it was made, in milliseconds since 1970; grows strictly within one process, so that it orders a lane. */
  madeAt: number;
  /** Attempts that may have left, as far as was written down. */
  attempts: number;
  /** Why the last `send` had no end, where it told. */
  reason?: RetryReason;
  /** From then on it is not sent again, in milliseconds since 1970; unset while it was never sent, for its key is unused. */
  expiresAt?: number;
  /** The end of it, where it is known. */
  outcome?: Done | Refused;
}

/**
 * Where intents are kept. `memoryStore`, `fileStore` and `indexedDbStore` are such; so is whatever has these four methods and
 * passes the same contract test (`test/client/store-contract.ts` in the repository).
 */
export interface Store {
  /** The intent with this key. */
  read(key: string): Promise<StoredIntent | undefined>;
  /** All intents, in no particular order. */
  list(): Promise<StoredIntent[]>;
  /** Keeps an intent in the place of the one with its key; null removes it. Resolves when it would survive a crash, and is all or nothing. */
  write(key: string, intent: StoredIntent | null): Promise<void>;
  /**
   * Does `work` while nobody else who shares the store, another tab or process, has the lock of this name; waits for it, and
   * gives it back whatever becomes of the work. Whoever dies with a lock has given it back.
   * @throws the signal's reason where it is aborted before the lock was had; the work is then not begun
   */
  lock<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}
