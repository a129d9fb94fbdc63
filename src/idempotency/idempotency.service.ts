import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { windowOf } from './window.js';
import { newOperationId, publicOperationId } from './operation-id.js';
import { Operations } from './operations.js';
import { OPTIONS, type CompleteOptions } from './options.js';
import { presentTransaction } from './postgres/connection-guard.js';
import { Purger } from './records/purger.js';
import type { Reply } from './reply.js';
import { accountUuid } from './requests/account.js';
import { Executor, type Answer } from './requests/executor.js';
import { fingerprint } from './requests/fingerprint.js';
import { observed } from './requests/observe.js';
import type { Sealing } from './requests/seal.js';
import { Recoverer } from './steps/recoverer.js';
import type { Next } from './step.js';
import type { Transaction } from './transaction.js';

/** What makes a task one and the same, however often it is asked for. */
export interface TaskName {
  /** On whose behalf: a uuid, or any text (see `accountUuid`). */
  account: string;
  /** What is done, for people and metrics: `ship-order`. Keys of different operations never meet. */
  operation: string;
  /** The id of the message, of the event, of the day: any text, with the same meaning within its operation. */
  key: string;
}

/** A task to be executed once. */
export interface Task extends TaskName {
  /** What it is asked to do, as JSON: the same key with something else is refused. Default: the key says all. */
  request?: unknown;
  /** How long the result is kept, counted from completion, in milliseconds; the module's where it isn't given. */
  windowMs?: number;
  /** The same as a text: a whole number of `ms`, `s`, `m`, `h` or `d`. Not beside `windowMs`. */
  window?: string;
  /** How long to wait for the result where somebody else is at it, in milliseconds. Default: 0. */
  waitMs?: number;
  /** Ties the record to the application's logs. */
  traceId?: string;
}

/** A value as JSON gives it back. */
export type AsJson<T> = T extends Reply | Next
  ? unknown
  : T extends { toJSON(): infer J }
    ? AsJson<J>
    : T extends object
      ? { [K in keyof T]: AsJson<T[K]> }
      : T;

/** What a task came to. */
export interface Ran<T> {
  /** What the handler returned, as JSON gives it back, the first time too; the body of a `reply(…)` or of the pending reply of `next(…)`. */
  value: AsJson<T>;
  /** 200, or that of the `reply(…)`. */
  status: number;
  /** It was executed before, and this is the result of then. */
  replayed: boolean;
  /** Its step has no outcome yet: `value` is what was said meanwhile, and the same key gives the result later. */
  pending: boolean;
  /** Public id (`op_…`). */
  operationId: string;
}

/** The guarantee of `@Idempotent()` where there is no HTTP request: in services, consumers of queues, cron jobs, GraphQL resolvers. */
@Injectable()
export class Idempotency {
  constructor(
    private readonly executor: Executor,
    private readonly operations: Operations,
    private readonly recoverer: Recoverer,
    private readonly purger: Purger,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /**
   * Executes the handler once for the account, the operation and the key, in one transaction with the record of it, and gives its result
   * to all who ask, now or later. What the handler throws undoes all it wrote, is thrown here, and leaves the key unused; a refusal
   * that is to stay is returned. It may run again as that of an `@Idempotent()` handler does, and may end in `next(…)` as well.
   * @throws IdempotencyRefusal in progress, reused, sealed, expired, rate-limited, unavailable
   * @throws Error inside the transaction of another handler; for an empty account, operation or key
   */
  async run<T>(task: Task, handler: (tx: Transaction) => Promise<T>): Promise<Ran<T>> {
    if (presentTransaction()?.isOver === false) throw new Error(INSIDE);
    const request = this.requestOf(task, async (tx) => {
      // The handler runs when its claim is won.
      await tx.now();
      return handler(tx);
    });
    const answer = await observed(this.options, request, () => this.executor.execute(request));
    return ranOf<T>(answer);
  }

  /** Seals a task that was given up: nobody executes it from now on. `by`: on whose request, for the story. */
  seal(task: TaskName, by: string): Promise<Sealing> {
    return this.operations.seal(accountUuid(task.account), storedKey(task), by);
  }

  /**
   * Drives interrupted and parked operations that are due, and returns how many, when each of them is finished or parked: for processes
   * with `background: false`. Beside other processes it is safe.
   * @throws the database's error
   */
  recoverDue(): Promise<number> {
    return this.recoverer.recoverDue();
  }

  /**
   * Archives the records that have expired and forgets what the archive has kept for its time; returns how many. For processes with
   * `background: false`; a large backlog is worked off with rests in between.
   * @throws the database's error
   */
  purgeDue(): Promise<{ archived: number; forgotten: number }> {
    return this.purger.purge();
  }

  private requestOf(task: Task, work: (tx: Transaction) => Promise<unknown>): Parameters<Executor['execute']>[0] {
    const { account, operation, request, waitMs = 0, traceId = null } = task;
    return {
      intent: {
        accountId: accountUuid(account),
        key: storedKey(task),
        fingerprint: fingerprint({ method: 'run', url: operation, ifMatch: undefined, body: request }),
        operation,
        operationId: newOperationId(),
        windowMs: windowOf(task) ?? this.options.windowMs,
        traceId,
        traceparent: this.options.traceparent(),
      },
      work,
      status: 200,
      render: () => Promise.resolve('not-final'),
      optimistic: false,
      deadline: performance.now() + waitMs,
      lenient: false,
      retry: { isRetry: false, reason: undefined, attempt: undefined },
    };
  }
}

const PLAIN = /^[\x21-\x7e]+$/;
const LONGEST = 255;

/** With spaces, which no client can send: a request can't take the key of a task. @throws Error for an empty operation or key */
function storedKey({ operation, key }: TaskName): string {
  if (!operation || !key) throw new Error(`a task needs an operation and a key, and got ${JSON.stringify({ operation, key })}`);
  const plain = `run ${operation} ${key}`;
  if (PLAIN.test(operation) && PLAIN.test(key) && plain.length <= LONGEST) return plain;
  return `run sha256 of ${hash('sha256', JSON.stringify([operation, key]), 'hex')}`;
}

function ranOf<T>({ response, expiresAt, replayed, operationId }: Answer): Ran<T> {
  const value = (response.body === '' ? undefined : JSON.parse(response.body)) as AsJson<T>;
  return { value, status: response.status, replayed, pending: expiresAt === null, operationId: publicOperationId(operationId) };
}

const INSIDE =
  "Idempotency.run() inside an idempotent handler: it commits by itself and needs a connection of its own. What belongs to the handler goes into tx.items(…), what doesn't into outsideTransaction(…)";
