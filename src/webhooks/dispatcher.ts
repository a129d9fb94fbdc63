import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeriodicTask } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { publicId } from '../kernel/ids.js';
import { writeAct } from '../kernel/trail.js';
import { DeliveryStore, type Claimed } from './delivery.store.js';
import { Destinations } from './destinations.js';
import { FanOut } from './fan-out.js';
import { sendMessage } from './sender.js';

/** PostgreSQL's NOTIFY would wake sooner, but doesn't go through a pooler in transaction mode. */
const POLL_MS = 1_000;
/** Messages of this process that are under way: to endpoints that work, and beside them to endpoints that fail, which take their time. */
const SLOTS = { working: 32, failing: 16 };
/** How long messages under way may take to end when the process is stopped, in milliseconds. */
const GRACE_MS = 3_000;

type Lane = keyof typeof SLOTS;

/** Sends what is due: events become deliveries, deliveries are claimed, sent outside any transaction, and settled. */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Webhooks');
  private readonly task = new PeriodicTask({ name: 'Webhooks', intervalMs: POLL_MS, run: (signal) => this.run(signal) });
  private readonly underWay: Record<Lane, Set<Promise<void>>> = { working: new Set(), failing: new Set() };
  private readonly cutOff = new AbortController();
  private readonly destinations: Destinations;

  constructor(
    private readonly fanOut: FanOut,
    private readonly deliveries: DeliveryStore,
    @Inject(CONFIG) { webhookAllow }: Config,
  ) {
    this.destinations = new Destinations(webhookAllow);
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Messages under way end first, or are cut off and left to another process. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
    const all = Promise.all([...this.underWay.working, ...this.underWay.failing]);
    await Promise.race([all, sleep(GRACE_MS, undefined, { ref: false })]);
    this.cutOff.abort();
    await all;
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let more = true; more && !signal.aborted;) {
      more = await this.fanOut.run();
      await this.fill('working', signal);
      await this.fill('failing', signal);
    }
  }

  private async fill(lane: Lane, signal: AbortSignal): Promise<void> {
    const free = SLOTS[lane] - this.underWay[lane].size;
    if (free <= 0 || signal.aborted) return;
    for (const claimed of await this.deliveries.claim(lane === 'failing', free)) {
      const attempt = this.attempt(claimed)
        // Its lease ends, and it is sent again.
        .catch((error: unknown) => this.log.warn({ err: error }, 'an attempt could not be settled'))
        .finally(() => {
          this.underWay[lane].delete(attempt);
          this.task.runNow();
        });
      this.underWay[lane].add(attempt);
    }
  }

  private async attempt(claimed: Claimed): Promise<void> {
    const { attempt, body, url, secrets } = claimed;
    if (body === null) return this.deliveries.giveUp(claimed);
    const message = { url, secrets, body, id: publicId('evt', claimed.eventId) };
    const outcome = await sendMessage(message, this.destinations, this.cutOff.signal);
    if (outcome.status === null && this.cutOff.signal.aborted) return this.deliveries.release(claimed);
    const log = { attempt, ...outcome };
    if (outcome.status !== null && outcome.status >= 200 && outcome.status < 300) return this.deliveries.delivered(claimed, log);
    const disabled = await this.deliveries.failed(claimed, log, outcome.status === 410);
    if (disabled) {
      const { id, reason } = disabled;
      writeAct('webhook-endpoint.disabled', { accountId: publicId('acct', claimed.accountId), endpointId: publicId('we', id), reason });
    }
  }
}
