import { setTimeout as sleep } from 'node:timers/promises';
import { KEY_A } from '../../support/app.js';
import type { ApiProcess } from '../../support/process.js';
import type { Payment } from './crash-world.js';

/** The client of one payment: all its tries under one key, and every final answer that it got. */
export class PayingClient {
  readonly answers: { status: number; text: string }[] = [];
  private readonly gone = new AbortController();

  constructor(private readonly payment: Payment) {}

  /** One try. Resolves to null when the connection broke, or to the seconds of Retry-After, or to `final`. */
  async try(replica: ApiProcess): Promise<'final' | number | null> {
    try {
      const response = await fetch(`${replica.url}/v1/payments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY_A}`, 'idempotency-key': this.payment.key, 'content-type': 'application/json' },
        body: JSON.stringify(this.payment.body),
        signal: this.gone.signal,
      });
      const text = await response.text();
      if (!isFinal(response.status, text)) return Number(response.headers.get('retry-after'));
      this.answers.push({ status: response.status, text });
      return 'final';
    } catch {
      return null;
    }
  }

  /** Obeys the verdict and Retry-After and nothing else, at each of the replicas in turn; then asks each of them once more. */
  async retryUntilFinal(replicas: ApiProcess[], patienceMs: number): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (let tries = 0; performance.now() < deadline; tries += 1) {
      const replica = replicas[tries % replicas.length];
      const outcome = replica ? await this.try(replica) : null;
      if (outcome === 'final') break;
      await sleep(outcome === null ? 100 : outcome * 1_000);
    }
    await Promise.all(replicas.map((replica) => this.try(replica)));
  }

  /** Hangs up and never comes back. */
  leave(): void {
    this.gone.abort();
  }
}

/** A 202 and whatever may be sent again under the same key are no end. */
function isFinal(status: number, text: string): boolean {
  return status !== 202 && (JSON.parse(text) as { retry?: string }).retry !== 'same-key';
}
