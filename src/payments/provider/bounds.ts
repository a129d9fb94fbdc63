import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { Silence, type Heard } from './silence.js';

/** Calls at once; a provider that hangs takes these and no more of the process. */
const MAX_CALLS = 128;
const MAX_WAITING = 200;
/** Of those, what one account may have: the others go on beside its calls that hang. */
const CALLS_OF_ACCOUNT = MAX_CALLS / 4;
/** So many accounts must meet silence together before all pause. */
const SILENT_ACCOUNTS = 3;
/** Accounts that are remembered. One that is forgotten while it has calls may have some more, within the bounds of all. */
const MAX_ACCOUNTS = 1_000;

interface AccountBounds {
  calls: ReturnType<typeof bulkhead>;
  silence: Silence;
}

/** What bounds the calls of a provider: first each account's own, then those of all, so that nobody's silence is everybody's. */
export class Bounds {
  private readonly calls = bulkhead(MAX_CALLS, MAX_WAITING);
  private readonly silence = new Silence(SILENT_ACCOUNTS);
  private readonly accounts = new LRUCache<string, AccountBounds>({ max: MAX_ACCOUNTS });

  /** Calls when there is a place, one of the account's and one of all. @throws Error, without calling, when too many wait */
  async inPlace<T>(account: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.of(account).calls.execute(() => this.calls.execute(call));
    } catch (error) {
      throw error instanceof BulkheadRejectedError ? new TooManyCalls('too many calls at once', { cause: error }) : error;
    }
  }

  /** Asks for a call; undefined while the account or everybody pauses. The function must be told how the call ended. */
  admit(account: string): ((heard: Heard) => void) | undefined {
    const ofAccount = this.of(account).silence.admit(account);
    if (!ofAccount) return undefined;
    const ofAll = this.silence.admit(account);
    if (!ofAll) {
      ofAccount('nothing');
      return undefined;
    }
    return (heard) => {
      ofAccount(heard);
      ofAll(heard);
    };
  }

  private of(account: string): AccountBounds {
    const known = this.accounts.get(account);
    if (known) return known;
    const bounds = { calls: bulkhead(CALLS_OF_ACCOUNT, MAX_WAITING), silence: new Silence(1) };
    this.accounts.set(account, bounds);
    return bounds;
  }
}

/** The call was not made. */
export class TooManyCalls extends Error {}
