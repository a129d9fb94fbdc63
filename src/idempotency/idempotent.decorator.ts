import { Res, SetMetadata, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Transaction } from './transaction.js';

/** What a route promises beyond the defaults. */
export interface IdempotentOptions {
  /** How long the response is kept, counted from completion, in milliseconds; the module's `windowMs` where it isn't given. */
  windowMs?: number;
}

/** Metadata key of `@Idempotent()`, for those who document or lint routes. */
export const IDEMPOTENT = 'holdfast:idempotent';

const TRANSACTION = Symbol('holdfast:transaction');

/** The request of the platform below Nest, as far as the core needs to carry a transaction to the handler. */
export interface CarriesTransaction {
  [TRANSACTION]?: Transaction;
}

/**
 * Makes a handler idempotent by key: it runs once inside one database transaction, `@Tx()`, in which the record of the
 * key commits together with whatever the handler wrote. It may return a plain value (stored with the route's status), a
 * `reply(…)`, or throw a refusal, which is stored after everything the handler wrote is undone.
 *
 * A handler may run more than once for one request, each time in a new transaction after the earlier one was rolled back
 * (deadlocks, serialization failures), so effects outside the transaction do not belong in it.
 */
export function Idempotent(options: IdempotentOptions = {}): MethodDecorator {
  return (target, property, descriptor: PropertyDescriptor) => {
    SetMetadata(IDEMPOTENT, options)(target, property, descriptor);
    // The interceptor sends the stored bytes itself. A parameter decorated with @Res() is Nest's documented way to be
    // told so; this one stands behind the handler's own parameters, which therefore never see it.
    const own: unknown = Reflect.getMetadata('design:paramtypes', target, property);
    Res()(target, property, Array.isArray(own) ? own.length : (descriptor.value as { length: number }).length);
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
