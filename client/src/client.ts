import { Courier, type SendingOptions } from './courier.js';
import { USUAL_WINDOW_MS, Windows } from './expiry.js';
import { Intent, type Desk, type SendOptions } from './intent.js';
import type { Outcome } from './outcome.js';
import { Queue } from './queue.js';
import { Patience } from './retry/patience.js';
import type { Store } from './store.js';
import { memoryStore } from './stores/memory.js';
import { keepIntent, keptIntents, serialize, type PlainRequest, type Wanted } from './wanted.js';

export interface ClientOptions extends Partial<SendingOptions> {
  /** Where the server is; its paths are added to it. In a page it may be relative. */
  baseUrl: string;
  /**
   * The value of `Authorization`, or several headers; asked before each attempt, so that it may change at any time. It is never
   * stored. Where it throws, the attempt is not made, and tried again like one that didn't reach the server.
   */
  authorization?: () => string | Record<string, string> | Promise<string | Record<string, string>>;
  /** Where intents are kept. Default: `memoryStore()`, which survives nothing. */
  store?: Store;
  /**
   * Whose intents these are, where one store serves several: the user or account. A client sees those of its scope alone, so that
   * what one user began is never sent in the name of the next.
   */
  scope?: string;
  /** How long the server keeps its answers, in milliseconds, unless `learnPolicy` says otherwise. Default 24 hours. */
  windowMs?: number;
  /** Told when the store failed to keep an end that the caller has got. Default: `console.error`. */
  onStoreError?: (error: unknown) => void;
}

const DEFAULTS: SendingOptions = {
  attempts: 5,
  deadlineMs: 60_000,
  attemptTimeoutMs: 15_000,
  backoff: { baseMs: 200, capMs: 20_000 },
  retryBudget: { burst: 10, perSecond: 1, perRequest: 0.2 },
  circuitBreaker: { failures: 10, openMs: 5_000 },
  retryHeaders: true,
  fetch: (...request) => globalThis.fetch(...request),
};

/** A client of any server that follows draft-ietf-httpapi-idempotency-key-header-07. */
export class IdempotentClient {
  /** What is sent when it can be, in order; `start` it where it is wanted. */
  readonly queue: Queue;
  private readonly desk: Desk;

  constructor(private readonly options: ClientOptions) {
    const sending = { ...DEFAULTS, ...definedOf(options) };
    this.desk = {
      store: options.store ?? memoryStore(),
      courier: new Courier(sending, () => this.authorize()),
      windows: new Windows(options.windowMs ?? USUAL_WINDOW_MS),
      scope: options.scope ?? '',
      // Relative to the page, where there is one.
      baseUrl: new URL(options.baseUrl, globalThis.location?.href).href.replace(/\/$/, ''),
      deadlineMs: sending.deadlineMs,
      onStoreError: options.onStoreError ?? ((error) => console.error(error)),
    };
    this.queue = new Queue(this.desk);
  }

  /**
   * Makes the key of something that is wanted, and keeps both before anything leaves: what happens then, it will be found again.
   * @throws TypeError where a header looks like a credential, or the key is none, or belongs to another intent
   */
  async prepare<T = unknown>(wanted: Wanted): Promise<Intent<T>> {
    return new Intent<T>(this.desk, await keepIntent(this.desk.store, wanted, this.desk.scope));
  }

  /** Prepares it, sends it and forgets it when its end is known; where that stays unknown it is kept, and `pending` finds it. */
  async place<T = unknown>(wanted: Wanted, options: SendOptions = {}): Promise<Outcome<T>> {
    return (await this.prepare<T>(wanted)).send({ forget: true, ...options });
  }

  /**
   * The intents that were not forgotten, the oldest first: those of a crash or of another tab, too. `send` finishes each under
   * its own key. What is in the queue is the queue's.
   */
  async pending(): Promise<Intent[]> {
    const kept = await keptIntents(this.desk.store, this.desk.scope, false);
    return kept.map((stored) => new Intent(this.desk, stored));
  }

  /** Sends a request that needs no key, such as GET, PUT or DELETE, with the same patience. Nothing is stored. */
  async request<T = unknown>(request: PlainRequest, options: Pick<SendOptions, 'signal' | 'deadlineMs'> = {}): Promise<Outcome<T>> {
    const { method, path, headers, body } = serialize(request);
    const parcel = { url: this.desk.baseUrl + path, method, headers, body, earlierAttempts: 0, reason: 'manual' as const };
    const { deadlineMs = this.desk.deadlineMs, signal } = options;
    const { outcome } = await Patience.during(deadlineMs, signal, (patience) => this.desk.courier.send(parcel, patience));
    return outcome as Outcome<T>;
  }

  /**
   * Asks the server how long it keeps its answers (`GET /.well-known/idempotency`), so that no intent is sent again after that.
   * Without it, `windowMs` holds for all.
   * @returns whether the server said so
   */
  async learnPolicy(options: Pick<SendOptions, 'signal' | 'deadlineMs'> = {}): Promise<boolean> {
    const outcome = await this.request({ method: 'GET', path: '/.well-known/idempotency' }, options);
    if (outcome.kind !== 'done') return false;
    this.desk.windows.learn(outcome.body);
    return true;
  }

  private async authorize(): Promise<Record<string, string>> {
    const given = (await this.options.authorization?.()) ?? {};
    return typeof given === 'string' ? { authorization: given } : given;
  }
}

/** Without what is there and undefined, so that the defaults hold. */
function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
