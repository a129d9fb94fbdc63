/** Locks by name among those who share this object, first come first served. */
export class Mutexes {
  private readonly tails = new Map<string, Promise<void>>();

  /** As `Store.lock`. */
  async hold<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const before = this.tails.get(name) ?? Promise.resolve();
    let release = (): void => undefined;
    const mine = new Promise<void>((resolve) => (release = resolve));
    // Whoever gives up stays in the row until it is their turn, so that nobody behind them overtakes the holder.
    const tail = before.then(() => mine);
    this.tails.set(name, tail);
    try {
      await turnOrAbort(before, signal);
      return await work();
    } finally {
      release();
      if (this.tails.get(name) === tail) this.tails.delete(name);
    }
  }
}

async function turnOrAbort(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return turn;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => (abort = () => reject(signal.reason as Error)));
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([turn, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
