/** So many refusals leave at once, in milliseconds' worth of them. */
const BURST_MS = 200;
/** Milliseconds between two refusals after that: 500 a second cost a twentieth of a processor. */
const INTERVAL_MS = 2;

/**
 * Holds back refusals of strangers when there are many. Whoever sends the next key on being refused the last one would take all
 * the time of the process for that; this way hundreds of such connections leave it to those who have a key.
 */
export class RefusalPacer {
  private next = -Infinity;

  /** Resolves when the refusal may leave. */
  async turn(): Promise<void> {
    const now = performance.now();
    this.next = Math.max(this.next, now - BURST_MS) + INTERVAL_MS;
    const wait = this.next - now;
    if (wait > 0) await new Promise<void>((resolve) => void setTimeout(resolve, wait).unref());
  }
}
