import type { ReceiverFaults } from './receiver.js';

/** What clients do, each with its weight. */
export type Action =
  | 'order'
  | 'batch'
  | 'pay'
  | 'pay-twice'
  | 'pay-again'
  | 'pay-in-time'
  | 'pay-and-cancel'
  | 'refund'
  | 'refund-refused'
  | 'cancel'
  | 'ticket'
  | 'give-up'
  | 'product'
  | 'stock'
  | 'pay-unreachable';

/** What `PUT /faults` of the sandbox takes. */
export interface Faults {
  refuse: number;
  dropBefore: number;
  dropAfter: number;
  hangAfter: number;
  error500: number;
  latencyMs: number;
}

/** After how many finished operations each injection comes again; 0: never. */
export interface Cadence {
  /** kill -9 of a replica, which is started again */
  kill: number;
  /** SIGSTOP of a replica for longer than the lease, then SIGCONT */
  pause: number;
  /** pg_terminate_backend of some of the replicas' connections */
  terminate: number;
  /** kill -9 of the provider's sandbox, which is started again */
  sandbox: number;
}

/** How often each thing happened to the system. */
export interface Injections {
  kills: number;
  pauses: number;
  terminatedBackends: number;
  sandboxRestarts: number;
  /** Calls of the provider beyond the first one under a key: each had lost an answer. */
  repeatedProviderCalls: number;
  /** Tries of clients beyond the first one of an operation. */
  clientRetries: number;
  /** Keys that were given up before they were used. */
  sealedKeys: number;
  /** Payments that were charged, or not, after their deadline. */
  passedDeadlines: number;
  /** Refusals of what was asked under another key. */
  possibleDuplicates: number;
  /** Webhooks that came more than once. */
  repeatedWebhooks: number;
}

/** Everything that a storm is made of. */
export interface Plan {
  operations: number;
  seed: number;
  clients: number;
  actions: Partial<Record<Action, number>>;
  sources: Record<string, number>;
  /** Probability that a client sends a request and never comes back for its answer. */
  vanish: number;
  /** Probability that a client sends the same request twice at once, to different replicas. */
  impatience: number;
  faults: Faults;
  receiver: ReceiverFaults;
  cadence: Cadence;
  /** Fewer of these, and the storm has shown nothing. */
  least: Injections;
  /** Laid over the replicas' variables. */
  env: Record<string, string>;
  /** An operation without an end after so many milliseconds is a violation. */
  stuckAfter: number;
  /** How long everything may take to come to rest after the last operation, in milliseconds. */
  restWithin: number;
}

/** A replica's lease, longer than its provider's deadline, as it must be; a paused replica sleeps past it. In milliseconds. */
export const LEASE_MS = 1_000;

export const CALM: Faults = { refuse: 0, dropBefore: 0, dropAfter: 0, hangAfter: 0, error500: 0, latencyMs: 0 };

/** Tokens that come to an end. `tok_unavailable` doesn't, and `tok_refund_declined` keeps what a cancellation should give back: both have actions of their own. */
const SOURCES = {
  tok_visa: 40,
  tok_mastercard: 10,
  tok_declined: 8,
  tok_insufficient_funds: 5,
  tok_3ds: 3,
  tok_slow: 4,
  tok_hang_after: 8,
  tok_drop_after: 8,
  tok_drop_before: 8,
  tok_error_500: 6,
};

/** The whole storm: everything at once. */
export function fullPlan({ operations, seed }: { operations: number; seed: number }): Plan {
  return {
    operations,
    seed,
    clients: 12,
    actions: {
      order: 26,
      batch: 4,
      pay: 34,
      'pay-twice': 5,
      'pay-again': 2,
      'pay-in-time': 5,
      'pay-and-cancel': 6,
      refund: 10,
      'refund-refused': 2,
      cancel: 8,
      ticket: 6,
      'give-up': 4,
      product: 4,
      stock: 3,
      'pay-unreachable': 1,
    },
    sources: SOURCES,
    vanish: 0.04,
    impatience: 0.1,
    faults: { refuse: 0.02, dropBefore: 0.03, dropAfter: 0.05, hangAfter: 0.02, error500: 0.05, latencyMs: 5 },
    receiver: { refuse: 0.03, cutBefore: 0.02, cutAfter: 0.03 },
    cadence: { kill: 50, pause: 110, terminate: 12, sandbox: 90 },
    least: {
      kills: Math.ceil(operations / 100),
      pauses: Math.ceil(operations / 250),
      terminatedBackends: Math.ceil(operations / 15),
      sandboxRestarts: Math.ceil(operations / 200),
      repeatedProviderCalls: Math.ceil(operations / 15),
      clientRetries: Math.ceil(operations / 10),
      sealedKeys: Math.floor(operations / 300),
      passedDeadlines: Math.floor(operations / 300),
      possibleDuplicates: Math.floor(operations / 300),
      repeatedWebhooks: Math.floor(operations / 50),
    },
    env: {},
    stuckAfter: 90_000,
    restWithin: 90_000,
  };
}
