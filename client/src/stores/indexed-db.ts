import type { Store, StoredIntent } from '../store.js';
import { Mutexes } from './mutex.js';

const INTENTS = 'intents';

/**
 * Keeps intents in a browser's IndexedDB, for all its tabs and workers of this origin, over reloads and restarts. Writes have
 * durability `strict`: they survive a power failure. Locks are Web Locks, which a browser has for secure pages (https, localhost); elsewhere
 * a lock holds within one tab, and two tabs that send one intent at once rely on its key.
 *
 * @param name of the database
 */
export function indexedDbStore(name = 'holdfast'): Store {
  const mutexes = new Mutexes();
  let opened: Promise<IDBDatabase> | undefined;

  /** The database; opened again when the browser has closed it. */
  function database(): Promise<IDBDatabase> {
    opened ??= open(name, () => (opened = undefined)).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  }

  async function read<T>(query: (intents: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return settled(query((await database()).transaction(INTENTS, 'readonly').objectStore(INTENTS)));
  }

  return {
    read: (key) => read((intents) => intents.get(key) as IDBRequest<StoredIntent | undefined>),
    list: () => read((intents) => intents.getAll() as IDBRequest<StoredIntent[]>),
    write: async (key, intent) => {
      const transaction = (await database()).transaction(INTENTS, 'readwrite', { durability: 'strict' });
      const intents = transaction.objectStore(INTENTS);
      if (intent) intents.put(intent, key);
      else intents.delete(key);
      await completed(transaction);
    },
    lock: <T>(lockName: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
      const locks = navigator.locks as LockManager | undefined;
      // Asked for with the signal: a holder's work is not ended by it.
      return locks ? locks.request(`${name}/${lockName}`, { signal }, work) : mutexes.hold(lockName, work, signal);
    },
  };
}

async function open(name: string, closed: () => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(INTENTS));
  const database = await settled(request);
  database.addEventListener('close', closed);
  // Another tab wants to delete it, or a later version of this package to change it.
  database.addEventListener('versionchange', () => {
    database.close();
    closed();
  });
  return database;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')));
  });
}

/** A put's success alone is no promise: the transaction may still fail when it is written out. */
function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('IndexedDB gave the write up')));
  });
}
