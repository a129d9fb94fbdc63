import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { PeriodicTask } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { publicId } from '../kernel/ids.js';
import { WEBHOOK_ATTEMPTS } from '../kernel/tracing.js';
import { writeAct } from '../kernel/trail.js';
import type { Attempt } from './delivery.entity.js';
import { DeliveryStore } from './delivery.store.js';
import { DeliveryWatch } from './delivery.watch.js';
import { Destinations } from './destinations.js';
import type { Claimed } from './due-deliveries.js';
import { FanOut } from './fan-out.js';
import { sendMessage } from './sender.js';

/** PostgreSQL's NOTIFY would wake sooner, but doesn't go through a pooler in transaction mode. */
const POLL_MS = 1_000;
/**
 * Messages of this process that are under way: to endpoints that work, and beside them to endpoints that fail, which take their time.
 * One that takes longer than a second gives its place among the first ones away: endpoints that have just died, and are not known to
 * fail yet, would have all places for ten seconds.
 */
const PLACES = { working: 32, failing: 64 };
/** Of all processes, messages to one endpoint that are under way; to one that fails, a single one tries whether it is back. */
const PER_ENDPOINT = { working: 8, failing: 1 };
const SLOW_MS = 1_000;
/** And so many in all, slow ones too. */
const MOST = 256;
/** How long messages under way may take to end when the process is stopped, in milliseconds. */
const GRACE_MS = 3_000;

type Lane = keyof typeof PLACES;

/** Sends what is due: events become deliveries, deliveries are claimed, sent outside any transaction, and settled. */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Webhooks');
  private readonly task: PeriodicTask;
  private readonly underWay = new Set<Promise<void>>();
  private readonly taken: Record<Lane, number> = { working: 0, failing: 0 };
  private readonly cutOff = new AbortController();
  private readonly destinations: Destinations;

  constructor(
    private readonly fanOut: FanOut,
    private readonly deliveries: DeliveryStore,
    private readonly watch: DeliveryWatch,
    @InjectDataSource(BACKGROUND) writesTo: DataSource,
    @Inject(CONFIG) { webhookAllow }: Config,
  ) {
    this.task = new PeriodicTask({ name: 'Webhooks', intervalMs: POLL_MS, writesTo, run: (signal) => this.run(signal) });
    this.destinations = new Destinations(webhookAllow);
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Messages under way end first, or are cut off and left to another process. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
    const all = Promise.all(this.underWay);
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
    const free = Math.min(PLACES[lane] - this.taken[lane], MOST - this.underWay.size);
    if (free <= 0 || signal.aborted) return;
    for (const claimed of await this.deliveries.claim({ failing: lane === 'failing', count: free, perEndpoint: PER_ENDPOINT[lane] })) {
      const leave = this.takePlace(lane);
      const attempt = this.attempt(claimed)
        // Its lease ends, and it is sent again.
        .catch((error: unknown) => this.log.warn({ err: error }, 'an attempt could not be settled'))
        .finally(() => {
          this.underWay.delete(attempt);
          leave();
        });
      this.underWay.add(attempt);
    }
  }

  /** Whoever leaves, or has been there for too long, makes room for the next one. */
  private takePlace(lane: Lane): () => void {
    let isThere = true;
    const giveAway = (): void => {
      if (isThere) this.taken[lane]--;
      isThere = false;
      this.task.runNow();
    };
    this.taken[lane]++;
    const slow = lane === 'working' ? setTimeout(giveAway, SLOW_MS).unref() : undefined;
    return () => {
      clearTimeout(slow);
      giveAway();
    };
  }

  private async attempt(claimed: Claimed): Promise<void> {
    const { attempt, body, url, secrets, traceparent } = claimed;
    if (body === null) {
      if (await this.deliveries.giveUp(claimed)) this.watch.ended('dead');
      return;
    }
    const message = { url, secrets, body, traceparent, id: publicId('evt', claimed.eventId) };
    const sent = await WEBHOOK_ATTEMPTS.tracePromise(() => sendMessage(message, this.destinations, this.cutOff.signal), {
      eventId: message.id,
      attempt,
      traceparent,
    });
    if (sent.status === null && this.cutOff.signal.aborted) return this.deliveries.release(claimed);
    const outcome = this.watch.attempted(claimed, sent);
    const log = { attempt, ...sent };
    if (outcome !== 'delivered') return this.settleFailure(claimed, log, outcome === 'gone');
    if (await this.deliveries.delivered(claimed, log)) this.watch.ended('delivered', claimed.ageSeconds + sent.ms / 1000);
  }

  private async settleFailure(claimed: Claimed, log: Omit<Attempt, 'at'>, isGone: boolean): Promise<void> {
    const { dead, disabledReason: reason } = await this.deliveries.failed(claimed, log, isGone);
    if (dead) this.watch.ended('dead');
    if (!reason) return;
    this.watch.disabled(reason);
    const { accountId, endpointId } = claimed;
    writeAct('webhook-endpoint.disabled', { accountId: publicId('acct', accountId), endpointId: publicId('we', endpointId), reason });
  }
}
