/** How long somebody waits: until a deadline, or until their signal. */
export class Patience {
  private readonly controller = new AbortController();
  private readonly timer: ReturnType<typeof setTimeout>;
  private readonly deadline: number;
  private readonly abort: () => void;
  /** Which of the two has ended it. */
  endedBy: 'deadline' | 'aborted' | undefined;

  /** @param deadlineMs from now; at most 24 days, which is what timers can do */
  private constructor(
    deadlineMs: number,
    private readonly outer?: AbortSignal,
  ) {
    const ms = Math.min(deadlineMs, 2 ** 31 - 1);
    this.deadline = performance.now() + ms;
    this.timer = setTimeout(() => this.end('deadline', new DOMException('The deadline has passed.', 'TimeoutError')), ms);
    this.abort = () => this.end('aborted', outer?.reason);
    if (outer?.aborted) this.abort();
    else outer?.addEventListener('abort', this.abort, { once: true });
  }

  /** Does something that takes this long at most, if it looks at the signal. */
  static async during<T>(deadlineMs: number, outer: AbortSignal | undefined, work: (patience: Patience) => Promise<T>): Promise<T> {
    const patience = new Patience(deadlineMs, outer);
    try {
      return await work(patience);
    } finally {
      patience.release();
    }
  }

  /** Aborted at the end. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Milliseconds that are left. */
  get leftMs(): number {
    return this.endedBy ? 0 : Math.max(0, this.deadline - performance.now());
  }

  /** Resolves at the end. */
  get over(): Promise<void> {
    return new Promise((resolve) => {
      if (this.endedBy) resolve();
      else this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Resolves after `ms`, or at the end if that is earlier. */
  sleep(ms: number): Promise<void> {
    if (this.endedBy) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.signal.addEventListener('abort', wake, { once: true });
    });
  }

  private end(by: 'deadline' | 'aborted', reason: unknown): void {
    this.endedBy ??= by;
    this.controller.abort(reason);
  }

  /** Gives the timer and the listener back. */
  private release(): void {
    clearTimeout(this.timer);
    this.outer?.removeEventListener('abort', this.abort);
  }
}
