import { isOnline } from './attempt.js';
import { Intent, type Desk, type SendOptions } from './intent.js';
import { Lane, type Step } from './lane.js';
import type { Outcome } from './outcome.js';
import { headsOf, needsSomebody, type QueueEntry, type QueueSnapshot } from './queue-entry.js';
import type { StoredIntent } from './store.js';
import { keepIntent, keptIntents, type Wanted } from './wanted.js';

/** Between two looks at what others have left in the store, in milliseconds. */
const LOOK_EVERY_MS = 30_000;

/**
 * Sends what is wanted as soon as it can be sent: what is in one lane one after the other, in the order in which it was added, lanes
 * beside each other. What could not be sent is tried again, with growing pauses and when the connection comes back, under the
 * key that it was made with. A refusal doesn't hold up what is behind it. Several tabs or processes may run their queue on one
 * store: a lane is in the hands of one of them at a time, and what one that has ended left is sent by the others: when they are
 * woken, or within half a minute.
 */
export class Queue {
  private readonly entries = new Map<string, QueueEntry>();
  private readonly lanes = new Map<string, Lane>();
  private readonly listeners = new Set<() => void>();
  private snapshot: QueueSnapshot = { running: false, online: isOnline(), entries: [] };
  private stopping = new AbortController();
  private isRunning = false;
  private wasOffline = false;
  private looking: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly desk: Desk) {}

  /**
   * Reads the store and begins to send. Resolves when it has read it; starting twice is starting once.
   * @throws what the store throws: it is started all the same, and reads again by itself
   */
  async start(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    this.wasOffline = !isOnline();
    this.stopping = new AbortController();
    globalThis.addEventListener?.('online', this.connectionChanged);
    globalThis.addEventListener?.('offline', this.connectionChanged);
    this.looking = setInterval(() => void this.refresh().catch((error: unknown) => this.desk.onStoreError(error)), LOOK_EVERY_MS);
    // Node: what is to be looked at later keeps no process alive.
    (this.looking as { unref?(): void }).unref?.();
    await this.wake();
  }

  /** Sends nothing more, and resolves when nothing is on its way. What is not finished is found by the next `start`. */
  async stop(): Promise<void> {
    this.isRunning = false;
    globalThis.removeEventListener?.('online', this.connectionChanged);
    globalThis.removeEventListener?.('offline', this.connectionChanged);
    clearInterval(this.looking);
    this.stopping.abort();
    await Promise.all(Array.from(this.lanes.values(), (lane) => lane.ended));
    this.changed();
  }

  /**
   * Makes the key of something that is wanted, keeps both, and sends it when its turn in the lane has come.
   * @throws TypeError as `prepare` does, and what the store throws: then it is not in the queue
   */
  async add(wanted: Wanted, { lane = 'default' }: { lane?: string } = {}): Promise<QueueEntry> {
    const entry = this.put(await keepIntent(this.desk.store, wanted, this.desk.scope, lane));
    this.changed();
    this.laneOf(lane).begin();
    return entry;
  }

  /**
   * Reads the store, and tries again what waits or is stuck there, without its pause: somebody has signed in, or pressed the button.
   * Resolves when it has read it.
   * @throws what the store throws
   */
  async wake(): Promise<void> {
    await this.read();
    for (const { lane } of headsOf(this.snapshot.entries)) this.laneOf(lane).wake();
  }

  /** Removes an entry: an end that was seen, or what is not wanted any more. What has been sent may happen all the same. */
  async forget(key: string): Promise<void> {
    const lane = this.entries.get(key)?.lane;
    await this.desk.store.write(key, null);
    this.entries.delete(key);
    this.changed();
    if (lane !== undefined) this.laneOf(lane).begin();
  }

  /**
   * Reads what other tabs or processes have changed, and sends what they have left, where this queue is started; what is stuck or
   * in its pause stays so. It does so by itself every half minute; asked for, the snapshot is fresh when it resolves.
   * @throws what the store throws
   */
  async refresh(): Promise<void> {
    await this.read();
    for (const { lane, state } of headsOf(this.snapshot.entries)) if (state === 'waiting') this.laneOf(lane).begin();
  }

  /** Calls `listener` after each change, until the function that it returns is called. For React's `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** The queue as it stands. For React's `useSyncExternalStore`. */
  readonly getSnapshot = (): QueueSnapshot => this.snapshot;

  private async read(): Promise<StoredIntent[]> {
    const before = [...this.entries.keys()];
    const stored = await keptIntents(this.desk.store, this.desk.scope, true);
    const there = new Set(stored.map(({ key }) => key));
    // What was added meanwhile may be missing in the list.
    for (const key of before) if (!there.has(key)) this.entries.delete(key);
    for (const intent of stored) this.put(intent);
    this.changed();
    return stored;
  }

  private laneOf(name: string): Lane {
    const lane = this.lanes.get(name) ?? new Lane(() => this.step(name), this.mayStep);
    this.lanes.set(name, lane);
    return lane;
  }

  private readonly mayStep = (): AbortSignal | undefined => (this.isRunning && isOnline() ? this.stopping.signal : undefined);

  private readonly connectionChanged = (): void => {
    if (isOnline()) void this.wake().catch((error: unknown) => this.desk.onStoreError(error));
    else this.wasOffline = true;
    this.changed();
  };

  /** Sends the first of a lane, as the store has it: another tab may have finished others, or added some. */
  private async step(lane: string): Promise<Step> {
    const work = async (): Promise<Step> => {
      const head = (await this.read()).find((stored) => stored.lane === lane && !stored.outcome);
      return head ? this.sendHead(head) : 'empty';
    };
    try {
      return await this.desk.store.lock(`lane:${this.desk.scope}:${lane}`, work, this.stopping.signal);
    } catch (error) {
      if (!this.stopping.signal.aborted) this.desk.onStoreError(error);
      return { retryAfterMs: 0 };
    }
  }

  private async sendHead(stored: StoredIntent): Promise<Step> {
    this.put(stored, 'sending');
    this.changed();
    const options: SendOptions = { signal: this.stopping.signal, ...(this.wasOffline && { reason: 'offline' }) };
    const outcome = await new Intent(this.desk, stored).send(options);
    const isStuck = needsSomebody(outcome);
    this.put(stored, isStuck ? 'stuck' : outcome.kind === 'unknown' ? 'waiting' : outcome.kind, outcome);
    this.changed();
    if (isStuck) return 'stuck';
    if (outcome.kind === 'unknown') return { retryAfterMs: outcome.retryAfterMs ?? 0 };
    this.wasOffline = false;
    return 'sent';
  }

  /** Shows an intent; in the state that it had, where none is told. */
  private put(stored: StoredIntent, state?: QueueEntry['state'], outcome?: Outcome): QueueEntry {
    const { key, lane = '', method, path, madeAt } = stored;
    const was = this.entries.get(key);
    const known = stored.outcome ?? outcome ?? was?.outcome;
    const entry = { key, lane, method, path, madeAt, state: state ?? stored.outcome?.kind ?? was?.state ?? 'waiting', outcome: known };
    this.entries.set(key, entry);
    return entry;
  }

  private changed(): void {
    const entries = [...this.entries.values()].sort((one, other) => one.madeAt - other.madeAt);
    this.snapshot = { running: this.isRunning, online: isOnline(), entries };
    for (const listener of this.listeners) listener();
  }
}
