import { IdempotentClient, type ClientOptions } from './client.js';
import type { Intent, SendOptions } from './intent.js';
import type { Outcome } from './outcome.js';
import type { QueueEntry } from './queue.js';

/** How an intent of a route is formed. */
export interface IntentOptions {
  /** Instead of a fresh UUIDv7. */
  key?: string;
  /** For example `Request-Deadline`, or `Prefer: handling=lenient`. */
  headers?: Record<string, string>;
}

/** Intents of one route. */
export class IntentRoute<Body, Result> {
  constructor(
    private readonly client: IdempotentClient,
    private readonly method: string,
    private readonly path: string,
  ) {}

  /** As `IdempotentClient.prepare`. */
  prepare(body: Body, options: IntentOptions = {}): Promise<Intent<Result>> {
    return this.client.prepare<Result>({ method: this.method, path: this.path, body, ...options });
  }

  /** As `IdempotentClient.place`. */
  place(body: Body, options: IntentOptions & SendOptions = {}): Promise<Outcome<Result>> {
    const { key, headers, ...sending } = options;
    return this.client.place<Result>({ method: this.method, path: this.path, body, key, headers }, sending);
  }

  /** As `Queue.add`. */
  enqueue(body: Body, { lane, ...options }: IntentOptions & { lane?: string } = {}): Promise<QueueEntry> {
    return this.client.queue.add({ method: this.method, path: this.path, body, ...options }, { lane });
  }
}

/** A client of Holdfast, with its routes. */
export class HoldfastClient extends IdempotentClient {
  readonly orders: IntentRoute<CreateOrder, Order>;

  constructor(options: ClientOptions) {
    super(options);
    this.orders = new IntentRoute(this, 'POST', '/v1/orders');
  }
}

/** What an order is placed with. */
export interface CreateOrder {
  items: { productId: string; quantity: number }[];
  currency?: string;
  expectedTotal?: number;
  customerReference?: string;
  metadata?: Record<string, string>;
}

export interface Order {
  id: string;
  status: 'pending' | 'paid' | 'cancelled';
  total: number;
  currency: string;
}
