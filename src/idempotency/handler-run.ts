import { NotReached } from './protocol/decision.js';
import { isAnyEnd, type StepEnd } from './step.js';
import type { Transaction } from './transaction.js';

/**
 * One run of an `@Idempotent()` handler: what the wrapper around the method itself tells the core past everything that stands
 * between, which are the application's pipes and interceptors.
 */
export class HandlerRun {
  private isReached = false;
  private end: StepEnd | undefined;

  constructor(readonly tx: Transaction) {}

  /** The method is about to be called; from here on what is thrown may be its refusal. */
  reach(): void {
    this.isReached = true;
    this.end = undefined;
  }

  /** Keeps what the method decided, and gives what interceptors may see and change: the body that the client is to get. */
  handOver(returned: unknown): unknown {
    this.end = isAnyEnd(returned) ? returned : undefined;
    if (!this.end) return returned;
    if (this.end.kind === 'reply') return this.end.body;
    return this.end.kind === 'next' ? this.end.pending?.body : undefined;
  }

  /** The decision, with the body that came through the interceptors. */
  decided(body: unknown): unknown {
    const { end } = this;
    if (!end) return body;
    if (end.kind === 'reply') return { ...end, body };
    return end.kind === 'next' && end.pending ? { ...end, pending: { ...end.pending, body } } : end;
  }

  /** @throws NotReached for what failed before the method was called; else the error itself */
  failed(error: unknown): never {
    throw this.isReached ? error : new NotReached(error);
  }
}
