import type { RetryReason } from './attempt.js';
import type { Courier, Delivery } from './courier.js';
import { unknown } from './ending.js';
import { toldExpiry, type Windows } from './expiry.js';
import type { Done, Outcome, Refused } from './outcome.js';
import { Patience } from './retry/patience.js';
import type { Store, StoredIntent } from './store.js';
import type { Parcel } from './trip.js';
import { isJson } from './wanted.js';

/** How one `send` waits. */
export interface SendOptions {
  /** Ends it; what is known then is the outcome. */
  signal?: AbortSignal;
  /** Instead of the client's, in milliseconds. */
  deadlineMs?: number;
  /** Why it is sent again, for `Retry-Reason`. Default: why the last `send` had no end; `manual` where that isn't known. */
  reason?: RetryReason;
  /** Removes the intent with its end instead of keeping both until `forget`. */
  forget?: boolean;
}

/** What an intent needs of its client. */
export interface Desk {
  store: Store;
  courier: Courier;
  windows: Windows;
  baseUrl: string;
  /** Whose intents the client sees. */
  scope: string;
  deadlineMs: number;
  /** A store failed when an end was to be kept, which the caller has all the same. */
  onStoreError(error: unknown): void;
}

/** Something that is wanted once: a request under its key, kept by the client's store until you forget it. */
export class Intent<T = unknown> {
  constructor(
    private readonly desk: Desk,
    private stored: StoredIntent,
  ) {}

  get key(): string {
    return this.stored.key;
  }

  get method(): string {
    return this.stored.method;
  }

  get path(): string {
    return this.stored.path;
  }

  /** What is sent, parsed where it is JSON. */
  get body(): unknown {
    const { body } = this.stored;
    if (body === null) return null;
    return isJson(this.stored.headers['content-type']) ? (JSON.parse(body) as unknown) : body;
  }

  get madeAt(): Date {
    return new Date(this.stored.madeAt);
  }

  /** How often it may have been sent, as far as this object knows. */
  get attempts(): number {
    return this.stored.attempts;
  }

  /** Its end, where it is known. */
  get outcome(): Done<T> | Refused | undefined {
    return this.stored.outcome as Done<T> | Refused | undefined;
  }

  /**
   * Sends it until its end is known, or the attempts or the time are over, and keeps the end. Only one tab or process sends it at
   * a time; the next one then has the same end without a request. Whatever the network does is an outcome, not an error.
   * @throws what the store throws before anything has left
   */
  async send(options: SendOptions = {}): Promise<Outcome<T>> {
    const { deadlineMs = this.desk.deadlineMs, signal } = options;
    const outcome = await Patience.during(deadlineMs, signal, (patience) => this.sendAlone(options, patience));
    return outcome as Outcome<T>;
  }

  /** You have done with it: removes it and its end from the store. What the server did, it keeps. */
  async forget(): Promise<void> {
    await this.desk.store.write(this.key, null);
  }

  private async sendAlone(options: SendOptions, patience: Patience): Promise<Outcome> {
    let began = false;
    const work = (): Promise<Outcome> => {
      began = true;
      return this.sendLocked(options, patience);
    };
    try {
      return await this.desk.store.lock(`intent:${this.key}`, work, patience.signal);
    } catch (error) {
      if (began || !patience.endedBy) throw error;
      // Ended before, or somebody else is sending it all the while: that one has written it down by the time that anything leaves.
      const { attempts } = (await this.desk.store.read(this.key)) ?? this.stored;
      return unknown(patience.endedBy, { mayHaveHappened: attempts > 0 });
    }
  }

  private async sendLocked({ reason, forget = false }: SendOptions, patience: Patience): Promise<Outcome> {
    const { store, courier } = this.desk;
    this.stored = (await store.read(this.key)) ?? this.stored;
    const { outcome, attempts, expiresAt } = this.stored;
    if (outcome && forget) await this.forget();
    if (outcome) return outcome;
    if (expiresAt !== undefined && Date.now() >= expiresAt) return unknown('expired', { mayHaveHappened: true });
    if (patience.endedBy) return unknown(patience.endedBy, { mayHaveHappened: attempts > 0 });
    const parcel: Parcel = { ...this.wire(), earlierAttempts: attempts, reason: reason ?? this.stored.reason ?? 'manual' };
    await this.keep({ attempts: attempts + 1, expiresAt: expiresAt ?? this.expiry() });
    const delivery = await courier.send(parcel, patience);
    await this.end(delivery, forget).catch((error: unknown) => this.desk.onStoreError(error));
    return delivery.outcome;
  }

  private async end({ outcome, attempts, reason }: Delivery, forget: boolean): Promise<void> {
    // Forgotten meanwhile: so it stays.
    if (!(await this.desk.store.read(this.key))) return;
    const isUnused = outcome.kind === 'unknown' ? !outcome.mayHaveHappened : outcome.kind === 'refused' && outcome.resendable;
    // Its key is as fresh as before.
    if (isUnused) await this.keep({ attempts: 0, expiresAt: undefined });
    else if (outcome.kind === 'unknown') await this.keep({ attempts, reason });
    else if (forget) await this.forget();
    else await this.keep({ attempts, outcome, expiresAt: toldExpiry(outcome, Date.now()) ?? this.stored.expiresAt });
  }

  private async keep(change: Partial<StoredIntent>): Promise<void> {
    this.stored = { ...this.stored, ...change };
    await this.desk.store.write(this.key, this.stored);
  }

  private wire(): Pick<Parcel, 'url' | 'method' | 'headers' | 'body'> {
    const { method, path, headers, body, key } = this.stored;
    return { url: this.desk.baseUrl + path, method, headers: { ...headers, 'idempotency-key': key }, body };
  }

  private expiry(): number {
    return this.desk.windows.expiryOf(this.method, this.path, Date.now());
  }
}
