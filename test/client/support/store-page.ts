import { indexedDbStore } from '../../../client/src/index.js';
import { STORE_RULES } from '../store-contract.js';

/** What the tests call in the page. */
const calls = {
  /** Checks a rule of stores on a database of this name. */
  check: (rule: string, database: string): Promise<void> | undefined =>
    STORE_RULES.find(({ name }) => name === rule)?.check(async () => indexedDbStore(database)),
  store: indexedDbStore,
};
export type StorePage = typeof calls;
Object.assign(globalThis, calls);
