import type { Store, StoredIntent } from '../store.js';
import { Mutexes } from './mutex.js';

/** Keeps intents as long as the process or the page lives: for trials, and where losing them in a crash is no harm. */
export function memoryStore(): Store {
  const intents = new Map<string, string>();
  const mutexes = new Mutexes();
  // As text, so that what a caller changes afterwards changes nothing here.
  const parse = (text: string): StoredIntent => JSON.parse(text) as StoredIntent;
  return {
    read: async (key) => {
      const text = intents.get(key);
      return text === undefined ? undefined : parse(text);
    },
    list: async () => Array.from(intents.values(), parse),
    write: async (key, intent) => {
      if (intent) intents.set(key, JSON.stringify(intent));
      else intents.delete(key);
    },
    lock: (name, work, signal) => mutexes.hold(name, work, signal),
  };
}
