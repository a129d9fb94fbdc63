/** Replays that are answered in one turn of the event loop: less than half a millisecond. */
const PER_TURN = 4;

/**
 * Lets a process answer a few replays in each turn of the event loop: each account's in their order, the accounts in
 * rotation. A replay from memory is so cheap that a client which sends one over hundreds of connections, again and again,
 * would fill every turn with its own, while a first request of somebody else needs several turns. As a client sends its next
 * request when it has the answer to the one before, the turns stay short from end to end.
 */
export class ReplayScheduler {
  private readonly waiting = new Map<string, (() => void)[]>();
  private left = PER_TURN;
  private renewing = false;

  /** Undefined: now. Otherwise resolves when it is this account's turn. */
  take(accountId: string): Promise<void> | undefined {
    this.renewSoon();
    if (this.left > 0) {
      this.left -= 1;
      return undefined;
    }
    return new Promise((resolve) => {
      const queue = this.waiting.get(accountId);
      if (queue) queue.push(resolve);
      else this.waiting.set(accountId, [resolve]);
    });
  }

  private renewSoon(): void {
    if (this.renewing) return;
    this.renewing = true;
    setImmediate(() => {
      this.renewing = false;
      this.renew();
    });
  }

  private renew(): void {
    for (this.left = PER_TURN; this.left > 0 && this.waiting.size > 0; this.left -= 1) this.serveNext();
    if (this.waiting.size > 0) this.renewSoon();
  }

  private serveNext(): void {
    // A Map keeps the order of insertion: who was served goes behind the others.
    for (const [accountId, queue] of this.waiting) {
      this.waiting.delete(accountId);
      queue.shift()?.();
      if (queue.length > 0) this.waiting.set(accountId, queue);
      return;
    }
  }
}
