import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import { windowOf } from './window.js';
import type { Notice, RequestOutcome } from './observations.js';
import { renderByDefault } from './rendering.js';
import type { StoredResponse } from './reply.js';

/** What an application tells the core about itself. */
export interface IdempotencyOptions {
  /**
   * The account (tenant, user) on whose behalf the request comes; keys of different accounts never meet. A uuid is stored as it is,
   * any other text as the uuid that `accountUuid(text)` makes of it. An empty text is an error.
   */
  accountOf(request: unknown): string;
  /**
   * What is stored for an error that a handler threw: a response; `filters`, the one that the application's exception filters make of it;
   * `not-final` for whatever decides nothing about the request (5xx, validation, a state that will pass), which stores nothing and leaves the
   * key unused. Default: `filters` for an HttpException of 4xx, other than 400, 408, 425 and 429.
   */
  render?(error: unknown, context: { operationId: string; traceId: string | null }): StoredResponse | 'filters' | 'not-final';
  /**
   * Whether what the core itself refuses is answered as application/problem+json (RFC 9457), where no filter of the application answers it
   * otherwise. Default: false, Nest's own form.
   */
  problemJson?: boolean;
  /** Ties the record to the application's logs. */
  traceOf?(request: unknown): string | null;
  /**
   * W3C traceparent of what is under way, asked for when a request or a task begins. The record keeps it, so that whoever gets its
   * answer again, or goes on with its operation, can be linked to it.
   */
  traceparent?(): string | null;
  /** Called once for each request to a marked handler, for each item of a batch, and for each task. It must not throw. */
  observe?(outcome: RequestOutcome): void;
  /** Told of what happens beside that: take-overs, queues, purges. It must not throw. */
  notice?(notice: Notice): void;
  /** Whether the process is about to end: it takes nothing over any more, and nobody waits for what others do. Default: never. */
  isClosing?(): boolean;
  /** How long responses are kept, counted from completion. Default: 24 hours. */
  windowMs?: number;
  /** The same as a text: a whole number of `ms`, `s`, `m`, `h` or `d`. Not beside `windowMs`. */
  window?: string;
  /** What becomes of a retry after that. Default: `refuse`. */
  lateRequests?: 'refuse' | 'execute';
  /** How long the archive remembers purged keys; not shorter than a window. Default: 400 days. */
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
   * Operations, each as method and route (`POST /v1/payments`), whose commits wait until the synchronous standbys have applied them, those of
   * their steps too: what was confirmed is then seen by a read there at once (`synchronous_commit = remote_apply`, PostgreSQL manual, section
   * 19.5.1). Without synchronous standbys it changes nothing. Default: none; all wait as the server's setting says.
   */
  remoteApply?: readonly string[];
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
  /**
   * Whether each statement of what joins has a savepoint of its own, so that code which catches a violated constraint may go on. It costs two
   * statements more for each, which leave with it. False: a failed statement ends the transaction, as in PostgreSQL. Default: false.
   */
  statementSavepoints?: boolean;
  /**
   * What becomes of a call to the outside while a handler's transaction is open: fetch and HTTP requests, SQL on another connection, bytes on any
   * other socket. `warn`: it is logged, each once. `refuse`: the handler's transaction doesn't commit, and the request answers 500. Default: `warn`,
   * and `ignore` where NODE_ENV is `production`, or where nothing follows flows (neither `join` nor `guardConnections`).
   */
  outsideCalls?: 'ignore' | 'warn' | 'refuse';
  /**
   * Whether this process recovers and purges by timers. False: for functions that sleep between requests, and for processes that
   * leave it to others; somebody must call `Idempotency.recoverDue()` and `purgeDue()` then. Default: true.
   */
  background?: boolean;
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

/** The options that decide what the module is made of, and so are known before a factory runs. */
export type DataSourceNames = Pick<IdempotencyOptions, 'backgroundDataSource' | 'recoveryDataSource' | 'otherDataSources'>;

/** Options that a factory gives; the names of data sources stand beside it. */
export interface IdempotencyAsyncOptions extends DataSourceNames {
  /** Modules whose providers the factory is given. */
  imports?: ModuleMetadata['imports'];
  /** Tokens of what the factory is given, in the order of its parameters. */
  inject?: FactoryProvider['inject'];
  /** Makes the options, once, before the application starts. */
  useFactory: (...injected: never[]) => FactoryOptions | Promise<FactoryOptions>;
}

/** What a factory gives. */
export type FactoryOptions = Omit<IdempotencyOptions, keyof DataSourceNames>;

/** Injection token of the options, complete with their defaults. */
export const OPTIONS = Symbol('holdfast:options');

export type CompleteOptions = Required<Omit<FactoryOptions, 'window'>>;

/** Injection token of the data source for background work. */
export const BACKGROUND_SOURCE = Symbol('holdfast:background-source');

/** Injection token of the data source in which the recoverer drives operations. */
export const RECOVERY_SOURCE = Symbol('holdfast:recovery-source');

/** Injection token of all data sources that lead to the server, each once. */
export const ALL_SOURCES = Symbol('holdfast:all-sources');

export const DAY = 86_400_000;

/** @throws Error with a sentence for each option that can't be so, alone or beside the others */
export function withDefaults(options: FactoryOptions): CompleteOptions {
  const complete: CompleteOptions = {
    accountOf: (request) => options.accountOf(request),
    render: (error, context) => (options.render ? options.render(error, context) : renderByDefault(error)),
    problemJson: options.problemJson ?? false,
    traceOf: (request) => options.traceOf?.(request) ?? null,
    traceparent: () => options.traceparent?.() ?? null,
    observe: (outcome) => options.observe?.(outcome),
    notice: (notice) => options.notice?.(notice),
    isClosing: () => options.isClosing?.() ?? false,
    windowMs: windowOf(options) ?? DAY,
    lateRequests: options.lateRequests ?? 'refuse',
    archiveMs: options.archiveMs ?? 400 * DAY,
    remoteApply: options.remoteApply ?? [],
    purgeIntervalMs: options.purgeIntervalMs ?? 60_000,
    leaseMs: options.leaseMs ?? 30_000,
    recoveryIntervalMs: options.recoveryIntervalMs ?? 2_000,
    accountShare: options.accountShare ?? 0.2,
    accountQueue: options.accountQueue ?? 1_000,
    stepBudgetMs: options.stepBudgetMs ?? 12_000,
    join: options.join ?? true,
    guardConnections: options.guardConnections ?? Number.parseInt(process.versions.node) >= 24,
    statementSavepoints: options.statementSavepoints ?? false,
    outsideCalls: options.outsideCalls ?? 'ignore',
    background: options.background ?? true,
  };
  const isFollowed = complete.join || complete.guardConnections;
  // An application's own setting, which tells a process of developers and tests from one of production.
  // oxlint-disable-next-line node/no-process-env
  if (options.outsideCalls === undefined && isFollowed && process.env['NODE_ENV'] !== 'production') complete.outsideCalls = 'warn';
  const wrong = complaintsOf(complete);
  if (wrong.length > 0) throw new Error(`The options of the IdempotencyModule can't be so: ${wrong.join('; ')}`);
  return complete;
}

const TIMES = ['windowMs', 'archiveMs', 'purgeIntervalMs', 'leaseMs', 'recoveryIntervalMs'] as const;
/** Node's timers take no more: what is longer is due at once. In milliseconds. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

function complaintsOf(options: CompleteOptions): string[] {
  const { windowMs, archiveMs, accountShare, accountQueue, stepBudgetMs } = options;
  const wrong = TIMES.filter((name) => !(options[name] > 0 && Number.isFinite(options[name]))).map((name) => `${name} must be above 0`);
  for (const name of ['purgeIntervalMs', 'recoveryIntervalMs'] as const) {
    if (options[name] > LONGEST_INTERVAL) wrong.push(`${name} must not be above ${LONGEST_INTERVAL}, the longest that timers take`);
  }
  if (!(stepBudgetMs >= 0)) wrong.push('stepBudgetMs must not be below 0');
  if (!(accountShare > 0 && accountShare <= 1)) wrong.push('accountShare must be above 0 and at most 1');
  if (!(accountQueue >= 0)) wrong.push('accountQueue must not be below 0');
  const forgetful = archiveIsTooShort(windowMs, archiveMs);
  return forgetful ? [...wrong, forgetful] : wrong;
}

/** What is wrong with an archive that forgets a key sooner than its answer was kept, for a route or the module; undefined where nothing is. */
export function archiveIsTooShort(windowMs: number, archiveMs: number): string | undefined {
  if (windowMs <= archiveMs) return undefined;
  return `archiveMs, ${archiveMs}, must not be below the window, ${windowMs}: a late retry would execute again that the window alone still knew`;
}
