import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DueEvent, Ledger } from './ledger.js';

const BATCH = 10;
const POLL_MS = 500;
const TIMEOUT_MS = 5_000;

/** Where events go, and the `whsec_<base64>` that signs them. */
export interface WebhookTarget {
  url: string;
  secret: string;
}

/**
 * Delivers the ledger's events, each at least once and in no promised order, until somebody accepts them with a 2xx.
 * An event is deleted only after that, so a crash in between delivers it again.
 */
export class Webhooks {
  private nap = new AbortController();
  private batch = new AbortController();
  private stopped = false;
  private failing = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly ledger: Ledger,
    private readonly target: WebhookTarget,
    private readonly log: Logger,
  ) {
    this.running = this.run();
  }

  /** Looks for events now rather than at the next poll. */
  wake(): void {
    this.nap.abort();
  }

  /** Gives up deliveries in flight; they stay due. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.batch.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const taken = await this.deliverDue();
      if (taken === BATCH) continue;
      // Woken during the delivery, this ends at once: nothing is overslept.
      await sleep(POLL_MS, undefined, { signal: this.nap.signal }).catch(() => undefined);
      this.nap = new AbortController();
    }
  }

  private async deliverDue(): Promise<number> {
    const batch = new AbortController();
    this.batch = batch;
    const timer = setTimeout(() => batch.abort(), TIMEOUT_MS);
    try {
      const due = await this.ledger.takeDueEvents(BATCH);
      const deliveries = await Promise.allSettled(due.map((event) => this.deliver(event, batch.signal)));
      const failed = deliveries.find((delivery) => delivery.status === 'rejected');
      if (due.length > 0) this.report(failed?.reason);
      return due.length;
    } catch (error) {
      this.report(error);
      return 0;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says only what changes: with many events waiting, every failed attempt would be a line. */
  private report(error: unknown): void {
    const failing = error !== undefined;
    if (failing && !this.failing && !this.stopped) this.log.warn({ err: error }, 'webhooks are not accepted; trying on');
    if (!failing && this.failing) this.log.info('webhooks are accepted again');
    this.failing = failing;
  }

  private async deliver(event: DueEvent, signal: AbortSignal): Promise<void> {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers = {
      'content-type': 'application/json',
      'webhook-id': event.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': sign(this.target.secret, event.id, timestamp, event.body),
    };
    const response = await fetch(this.target.url, { method: 'POST', redirect: 'manual', signal, headers, body: event.body });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the receiver answered ${response.status}`);
    await this.ledger.forgetEvent(event.id);
  }
}

/** The `webhook-signature` header of the Standard Webhooks specification, symmetric scheme `v1`. */
function sign(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
