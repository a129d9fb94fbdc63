import type { StoredResponse } from './reply.js';

/** What happened to one request with a key, for metrics. */
export interface RequestOutcome {
  /** Method and route. */
  operation: string;
  outcome: 'executed' | 'replayed' | 'pending' | 'in-progress' | 'reused' | 'expired' | 'sealed' | 'rate-limited' | 'failed';
  /** The client's `Retry-Reason`, when it is one of the known ones. */
  retryReason: string | undefined;
}

/** What an application tells the core about itself. */
export interface IdempotencyOptions {
  /** The uuid of the account (tenant, user) on whose behalf the request comes; keys of different accounts never meet. */
  accountOf(request: unknown): string;
  /**
   * The response for an error that a handler threw. `not-final` for whatever decides nothing about the request (5xx,
   * validation, a state that will pass): that stores nothing and leaves the key unused.
   */
  render(error: unknown, context: { operationId: string; traceId: string | null }): StoredResponse | 'not-final';
  /** Ties the record to the application's logs. */
  traceOf?(request: unknown): string | null;
  /** Called once for each request with a key. */
  observe?(outcome: RequestOutcome): void;
  /** Whether the process is about to end: it takes nothing over any more, and nobody waits for what others do. Default: never. */
  isClosing?(): boolean;
  /** How long responses are kept, counted from completion. Default: 24 hours. */
  windowMs?: number;
  /** What becomes of a retry after that. Default: `refuse`. */
  lateRequests?: 'refuse' | 'execute';
  /** How long the archive remembers purged keys. Default: 400 days. */
  archiveMs?: number;
  /** How often expired records are purged. Default: one minute. */
  purgeIntervalMs?: number;
  /** How long nobody may take over an operation that is in a step; longer than a step's call can take. Default: 30 seconds. */
  leaseMs?: number;
  /**
   * Part of the pool's connections, above 0 and at most 1, that the requests of one account may have while another account's
   * wait, or came within the last second or two. Alone it has nearly all. Default: a fifth.
   */
  accountShare?: number;
  /** Requests of one account that may wait for a connection before further ones are refused as `rate-limited`. Default: 1,000. */
  accountQueue?: number;
  /** How often the recoverer looks, and how long a parked operation is left alone at first, by requests too. Default: 2 seconds. */
  recoveryIntervalMs?: number;
  /** How long a request waits for its steps before it is answered 202. Default: 12 seconds. */
  stepBudgetMs?: number;
  /**
   * Whether to follow asynchronous flows, so that a handler that asks for a second connection inside its transaction, or calls
   * a provider there, is told so at once instead of by a pool that runs dry. Default: from Node 24 on, where following costs
   * nothing; before, it slows down every promise of the process, here first requests by a tenth and replays by a third.
   */
  guardConnections?: boolean;
  /**
   * Whether repositories, managers, query builders and query runners of the application's data source join the transaction of
   * the handler that they are called in, found by its asynchronous flow. False: only what goes through `tx` is in it, and
   * nothing follows flows for its sake. Default: true.
   */
  join?: boolean;
  /** TypeORM name of a second, small data source for background work, so that busy handlers can't starve it. Default: the same one. */
  backgroundDataSource?: string;
  /**
   * TypeORM name of the data source in which the recoverer drives what it has found: the same role as requests have, where
   * `backgroundDataSource` is one that sees all accounts. Default: `backgroundDataSource`.
   */
  recoveryDataSource?: string;
  /** TypeORM names of the application's further data sources on the same server: they too refuse a former primary. Default: none. */
  otherDataSources?: string[];
}

/** Injection token of the options, complete with their defaults. */
export const OPTIONS = Symbol('holdfast:options');

export type CompleteOptions = Required<Omit<IdempotencyOptions, 'backgroundDataSource' | 'recoveryDataSource' | 'otherDataSources'>>;

/** Injection token of the data source for background work. */
export const BACKGROUND_SOURCE = Symbol('holdfast:background-source');

/** Injection token of the data source in which the recoverer drives operations. */
export const RECOVERY_SOURCE = Symbol('holdfast:recovery-source');

/** Injection token of all data sources that lead to the server, each once. */
export const ALL_SOURCES = Symbol('holdfast:all-sources');

const DAY = 86_400_000;

export function withDefaults(options: IdempotencyOptions): CompleteOptions {
  return {
    accountOf: (request) => options.accountOf(request),
    render: (error, context) => options.render(error, context),
    traceOf: (request) => options.traceOf?.(request) ?? null,
    observe: (outcome) => options.observe?.(outcome),
    isClosing: () => options.isClosing?.() ?? false,
    windowMs: options.windowMs ?? DAY,
    lateRequests: options.lateRequests ?? 'refuse',
    archiveMs: options.archiveMs ?? 400 * DAY,
    purgeIntervalMs: options.purgeIntervalMs ?? 60_000,
    leaseMs: options.leaseMs ?? 30_000,
    recoveryIntervalMs: options.recoveryIntervalMs ?? 2_000,
    accountShare: options.accountShare ?? 0.2,
    accountQueue: options.accountQueue ?? 1_000,
    stepBudgetMs: options.stepBudgetMs ?? 12_000,
    join: options.join ?? true,
    guardConnections: options.guardConnections ?? Number.parseInt(process.versions.node) >= 24,
  };
}
