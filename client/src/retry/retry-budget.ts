/** How many retries all requests of a client have together. */
export interface RetryBudgetOptions {
  /** Retries that may be made at once after a quiet time. */
  burst: number;
  /** Retries that every second adds. */
  perSecond: number;
  /** Retries that every new request adds: 0.2 lets one in five requests be retried, however many there are. */
  perRequest: number;
}

/**
 * A token bucket over all requests of a client, so that an outage is not answered with a multiple of the usual load. Retries
 * beyond it wait for their token rather than fail: their key makes waiting harmless.
 */
export class RetryBudget {
  private tokens: number;
  private countedAt = performance.now();

  constructor(private readonly options: RetryBudgetOptions) {
    this.tokens = options.burst;
  }

  /** A first attempt is about to be made. */
  deposit(): void {
    this.add(this.options.perRequest);
  }

  /** How many milliseconds a retry must wait for its token; Infinity where none ever comes by itself. */
  waitMs(): number {
    this.countTime();
    if (this.tokens >= 1) return 0;
    return ((1 - this.tokens) / this.options.perSecond) * 1_000;
  }

  /** Takes the token of a retry that will be made, also one that is still to come: whoever asks next waits longer. */
  take(): void {
    this.countTime();
    this.tokens -= 1;
  }

  private countTime(): void {
    const now = performance.now();
    const passed = now - this.countedAt;
    this.countedAt = now;
    this.add((passed / 1_000) * this.options.perSecond);
  }

  private add(tokens: number): void {
    this.tokens = Math.min(this.options.burst, this.tokens + tokens);
  }
}
