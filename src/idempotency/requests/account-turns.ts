import { IdempotencyRefusal } from '../refusal.js';

/** How many requests execute at once, and how they are shared out. */
export interface TurnsOptions {
  /** Requests that execute at once in this process: as many as the pool has connections. */
  places: number;
  /** Part of the places, above 0 and at most 1, that one account may have while another one waits or was there a moment ago. */
  share: number;
  /** Requests of one account that may wait. */
  queue: number;
  /** How long one may wait, in milliseconds; 0: as long as it takes. */
  waitMs: number;
  /** Hears how long one has waited, in milliseconds, with or without success. */
  waited?(ms: number): void;
}

/** Who waits. */
export interface Queue {
  requests: number;
  accounts: number;
  /** Requests of the account that has the most. */
  longest: number;
}

/** A request that waits. */
interface Waiting {
  enter(): void;
  timer: NodeJS.Timeout | undefined;
}

/** One place of so many is kept from an account that is alone, for the next one that comes: its own requests may be slow. */
const RESERVE = 8;
/** An account is there from its last request on for so long, or twice as long at most, in milliseconds. */
const PRESENCE_MS = 1_000;

/**
 * Turns for requests that execute, so that one account can't crowd the others out: whoever finds all places taken, or has its
 * share while others are there, waits in its account's queue; a place that becomes free goes to the accounts in rotation. An
 * account that is alone has nearly all places; beside others it hasn't, even while none of them waits: what it executes at once
 * is what their next request meets in the database. A request waits once, and keeps its place for every transaction of its execution; steps, and
 * whoever takes an operation over, don't come here.
 */
export class AccountTurns {
  private readonly held = new Map<string, number>();
  /** In the order of rotation: a Map keeps that of insertion. */
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly mostAlone: number;
  private readonly mostBeside: number;
  private free: number;
  /** Accounts that were there since the last change of periods, and those of the period before that were not again. */
  private present = new Set<string>();
  private before = new Set<string>();
  private periodEnd = -Infinity;

  constructor(private readonly options: TurnsOptions) {
    this.free = options.places;
    const { places, share } = options;
    this.mostAlone = places - Math.floor(places / RESERVE);
    this.mostBeside = Math.max(1, Math.floor(places * share));
  }

  /**
   * Does the work when it is the account's turn.
   * @throws IdempotencyRefusal `rate-limited` when too many of the account wait, `service-unavailable` when its turn doesn't come
   */
  async inTurn<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    this.notice(accountId);
    if (this.hasPlaceFor(accountId)) this.enter(accountId);
    else await this.wait(accountId);
    try {
      return await work();
    } finally {
      this.leave(accountId);
    }
  }

  /** Whether a request of the account would enter without waiting, at this moment. */
  hasPlaceFor(accountId: string): boolean {
    return this.free > 0 && !this.waiting.has(accountId) && this.mayEnter(accountId);
  }

  /** Who waits at this moment. */
  get queue(): Queue {
    const lengths = [...this.waiting.values()].map(({ length }) => length);
    return { requests: lengths.reduce((sum, length) => sum + length, 0), accounts: lengths.length, longest: Math.max(0, ...lengths) };
  }

  private notice(accountId: string): void {
    const now = performance.now();
    if (now >= this.periodEnd) {
      // What is left of the period before counts only where that one has just ended.
      this.before = now < this.periodEnd + PRESENCE_MS ? this.present : new Set();
      this.present = new Set();
      this.periodEnd = now + PRESENCE_MS;
    }
    this.before.delete(accountId);
    this.present.add(accountId);
  }

  private mayEnter(accountId: string): boolean {
    const mine = this.present.has(accountId) || this.before.has(accountId) ? 1 : 0;
    const othersAreThere = this.present.size + this.before.size > mine || this.waiting.size > (this.waiting.has(accountId) ? 1 : 0);
    return (this.held.get(accountId) ?? 0) < (othersAreThere ? this.mostBeside : this.mostAlone);
  }

  private enter(accountId: string): void {
    this.free -= 1;
    this.held.set(accountId, (this.held.get(accountId) ?? 0) + 1);
  }

  /** Resolves with a place taken. */
  private async wait(accountId: string): Promise<void> {
    const queue = this.waiting.get(accountId) ?? [];
    if (queue.length >= this.options.queue) throw new IdempotencyRefusal('rate-limited');
    this.waiting.set(accountId, queue);
    const began = performance.now();
    try {
      await this.queueUp(accountId, queue);
    } finally {
      this.options.waited?.(performance.now() - began);
    }
  }

  private queueUp(accountId: string, queue: Waiting[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { enter: resolve, timer: undefined };
      if (this.options.waitMs > 0) {
        waiting.timer = setTimeout(() => {
          queue.splice(queue.indexOf(waiting), 1);
          if (queue.length === 0) this.waiting.delete(accountId);
          reject(new IdempotencyRefusal('service-unavailable'));
          this.serve();
        }, this.options.waitMs).unref();
      }
      queue.push(waiting);
    });
  }

  private leave(accountId: string): void {
    this.free += 1;
    const left = (this.held.get(accountId) ?? 0) - 1;
    if (left > 0) this.held.set(accountId, left);
    else this.held.delete(accountId);
    this.serve();
  }

  private serve(): void {
    while (this.free > 0 && this.serveNext());
  }

  /** False when nobody who waits may enter now. */
  private serveNext(): boolean {
    for (const [accountId, queue] of this.waiting) {
      if (!this.mayEnter(accountId)) continue;
      this.enter(accountId);
      this.waiting.delete(accountId);
      const next = queue.shift();
      clearTimeout(next?.timer);
      next?.enter();
      if (queue.length > 0) this.waiting.set(accountId, queue);
      return true;
    }
    return false;
  }
}
