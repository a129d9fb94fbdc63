/** When a server that gives no answers is left alone. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. */
  failures: number;
  /** How long it stays open, in milliseconds; then one attempt is let through, which closes it or opens it again. */
  openMs: number;
}

/**
 * A circuit breaker over all requests of a client. An attempt that finds it open is not made and waits, as far as its deadline
 * goes, for the moment at which it may be tried again.
 */
export class CircuitBreaker {
  private failuresInARow = 0;
  private opensAgainAt = 0;
  private trial = false;

  constructor(private readonly options: CircuitBreakerOptions) {}

  /** How many milliseconds an attempt must wait; 0 lets it through, and it must be followed by `succeeded`, `failed` or `abandoned`. */
  enter(now: number): number {
    if (this.failuresInARow < this.options.failures) return 0;
    if (now < this.opensAgainAt) return this.opensAgainAt - now;
    // One attempt is on its way to find out, and the others look now and then whether it has.
    if (this.trial) return this.options.openMs / 10;
    this.trial = true;
    return 0;
  }

  /** The server has answered, whatever it said of the request. */
  succeeded(): void {
    this.failuresInARow = 0;
    this.trial = false;
  }

  /** No answer came, or one that says that the server is not well. */
  failed(now: number): void {
    this.failuresInARow += 1;
    this.trial = false;
    if (this.failuresInARow >= this.options.failures) this.opensAgainAt = now + this.options.openMs;
  }

  /** The attempt was given up, which tells nothing of the server. */
  abandoned(): void {
    this.trial = false;
  }
}
