import { Res, SetMetadata, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { readsIfMatch } from './requests/if-match.js';
import type { Transaction } from './transaction.js';

/** What a route promises beyond the defaults. */
export interface IdempotentOptions {
  /** How long the response is kept, counted from completion, in milliseconds; the module's `windowMs` where it isn't given. */
  windowMs?: number;
  /**
   * How long after a request the same one under another key is refused as `possible-duplicate`, in milliseconds, while the first one
   * runs or when it succeeded. Refused before the handler's first statement, and stored; `Prefer: handling=lenient` passes. What
   * is undone later no longer counts by `allowDuplicate()`. Default: never, and nothing is looked up.
   */
  duplicateWindowMs?: number;
  /**
   * Whether the handler may run before it is known that its claim is won. Its first read then travels with the claim, and a
   * handler that only writes costs one packet in all. Its conditions: it has no effect outside `tx`, since it may run in vain
   * for a replay on another replica, for a request whose key is busy elsewhere, and a second time after any error of its SQL or
   * when it used what it remembered (`tx.mayUseCached()`). Nothing of a run in vain is committed. Default: false.
   */
  optimistic?: boolean;
}

/** What `@Idempotent()` says of a route, under the metadata key IDEMPOTENT. */
export interface IdempotentRoute extends IdempotentOptions {
  /** Whether If-Match is part of what is asked. */
  readsIfMatch: boolean;
}

/** Metadata key of `@Idempotent()`, for those who document or lint routes. */
export const IDEMPOTENT = 'holdfast:idempotent';

const TRANSACTION = Symbol('holdfast:transaction');

/** The request of the platform below Nest, as far as the core needs to carry a transaction to the handler. */
export interface CarriesTransaction {
  [TRANSACTION]?: Transaction;
}

/**
 * Makes a handler idempotent by key. It runs inside one database transaction, `@Tx()`, in which the record of the key commits
 * together with whatever the handler wrote. It may return a plain value (stored with the route's status), a `reply(…)`, or
 * throw a refusal, which is stored after everything the handler wrote is undone.
 *
 * It runs only when its claim is won: the claim is sent and awaited after guards and pipes, just before the method is called.
 * It runs again, each time in a new transaction after the earlier one was rolled back, when the database asks for it: after a
 * deadlock (40P01), a serialization failure (40001), a lock timeout (55P03), or when the connection's prepared statement is gone
 * or no longer fits (26000, 0A000); five times at most. So effects outside the transaction belong in a step.
 */
export function Idempotent(options: IdempotentOptions = {}): MethodDecorator {
  return (target, property, descriptor: PropertyDescriptor) => {
    const own: unknown = Reflect.getMetadata('design:paramtypes', target, property);
    const behind = Array.isArray(own) ? own.length : (descriptor.value as { length: number }).length;
    if (!options.optimistic) claimFirst(target, property, descriptor, behind + 1);
    const route: IdempotentRoute = { ...options, readsIfMatch: readsIfMatch(target.constructor, property) };
    SetMetadata(IDEMPOTENT, route)(target, property, descriptor);
    // The interceptor sends the stored bytes itself. A parameter decorated with @Res() is Nest's documented way to be
    // told so; this one stands behind the handler's own parameters, which therefore never see it.
    Res()(target, property, behind);
  };
}

/** The transaction of an `@Idempotent()` handler. */
export const Tx = createParamDecorator((_: unknown, context: ExecutionContext): Transaction => {
  const transaction = context.switchToHttp().getRequest<CarriesTransaction>()[TRANSACTION];
  if (!transaction) throw new Error('@Tx() belongs to a handler with @Idempotent()');
  return transaction;
});

/** Puts the transaction where `@Tx()` finds it. */
export function carryTransaction(request: CarriesTransaction, transaction: Transaction): void {
  request[TRANSACTION] = transaction;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Has the method wait until the claim is won; the transaction comes to it as one more parameter, at the given index. */
function claimFirst(target: object, property: string | symbol, descriptor: PropertyDescriptor, at: number): void {
  const method = descriptor.value as Method;
  const claimed: Method = async function (...args) {
    const tx = args[at] as Transaction | undefined;
    // Without one it is called by itself, by a test for example.
    if (tx) await tx.now();
    return method.apply(this, args.slice(0, at - 1));
  };
  Object.defineProperty(claimed, 'name', { value: method.name });
  for (const key of Reflect.getMetadataKeys(method) as unknown[]) Reflect.defineMetadata(key, Reflect.getMetadata(key, method), claimed);
  descriptor.value = claimed;
  Tx()(target, property, at);
}
