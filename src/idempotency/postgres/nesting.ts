import { AsyncLocalStorage } from 'node:async_hooks';
import type { PostgresTransaction } from './postgres-transaction.js';

/** A nested transaction that is open: a savepoint, and who has it. */
export interface Level {
  readonly owner: object;
  /** Begun by a verb of its own, so that no flow tells what belongs to it; else by a callback. */
  byHand: boolean;
  /** A write by somebody else that fell into it. */
  foreign: string | undefined;
}

/** The innermost nested transaction whose callback the present flow is in. */
const flows = new AsyncLocalStorage<Level>();
const nestings = new WeakMap<PostgresTransaction, Nesting>();
const READS = /^\s*(?:select|show|table|values)\b/i;

/** The nested transactions of one transaction. Savepoints nest by time alone, so only one may be open beside what it is nested in. */
export class Nesting {
  private readonly levels: Level[] = [];
  private broken: Error | undefined;

  private constructor() {}

  /** Its own for each transaction. */
  static of(tx: PostgresTransaction): Nesting {
    const known = nestings.get(tx);
    if (known) return known;
    const nesting = new Nesting();
    tx.vetoes.push(() => nesting.assertClosed());
    nestings.set(tx, nesting);
    return nesting;
  }

  /** @throws Error while one is open, or when savepoints have undone what they should not have */
  assertClosed(): void {
    if (this.levels.length > 0) throw new Error('a nested transaction is open at the end of its handler');
    if (this.broken) throw this.broken;
  }

  /** How many are open. */
  get depth(): number {
    return this.levels.length;
  }

  /** @throws Error while another one is open that the caller isn't inside of */
  begin(owner: object): Level {
    const top = this.levels.at(-1);
    if (top && !isInside(top, owner)) throw new Error(AT_ONCE);
    const level: Level = { owner, byHand: true, foreign: undefined };
    this.levels.push(level);
    return level;
  }

  /** Runs a callback as what belongs to the nested transaction that `owner` has just begun. */
  within<T>(owner: object, work: () => T): T {
    const level = this.levels.findLast((one) => one.owner === owner);
    if (!level) return work();
    level.byHand = false;
    return flows.run(level, work);
  }

  /** Looks at a statement before it is sent. @throws Error when it would fall into a nested transaction that it doesn't belong to */
  admit(owner: object, text: string): void {
    const top = this.levels.at(-1);
    if (!top || top.owner === owner || isInside(top, owner)) return;
    if (!top.byHand) throw new Error(AT_ONCE);
    if (!READS.test(text)) top.foreign ??= text.trim().slice(0, 60);
  }

  /** Whether `owner` has the innermost one. */
  has(owner: object): boolean {
    return this.levels.at(-1)?.owner === owner;
  }

  /** The innermost one ends. Undone together with somebody else's write, the whole transaction can't commit any more. */
  end(owner: object, undone: boolean): void {
    if (!this.has(owner)) {
      this.broken ??= new Error(AT_ONCE);
      throw this.broken;
    }
    const level = this.levels.pop();
    if (undone && level?.foreign)
      this.broken ??= new Error(`A nested transaction was undone, and with it ${JSON.stringify(level.foreign)} of other code`);
  }
}

function isInside(top: Level, owner: object): boolean {
  return top.byHand ? top.owner === owner : flows.getStore() === top;
}

const AT_ONCE =
  'Two nested transactions at once in one handler, or a statement beside one: savepoints would interleave, and one would undo the other. Await the first before the second begins';
