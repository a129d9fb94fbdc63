import { RequestMethod, Res, SetMetadata, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { METHOD_METADATA, RESPONSE_PASSTHROUGH_METADATA } from '@nestjs/common/constants.js';
import { windowOf } from './window.js';
import type { HandlerRun } from './handler-run.js';
import type { Redirection } from './http/answer.js';
import { readsIfMatch, takesResponse } from './http/parameters.js';
import type { Transaction } from './transaction.js';

/** What a route promises beyond the defaults. */
export interface IdempotentOptions {
  /** How long the response is kept, counted from completion, in milliseconds; the module's `windowMs` where it isn't given. */
  windowMs?: number;
  /** The same as a text: a whole number of `ms`, `s`, `m`, `h` or `d`. Not beside `windowMs`. */
  window?: string;
  /**
   * Whether a request without a key is refused. False: it is executed under a key that nobody else can send, so that everything
   * else is as ever, and sent again it executes again. Default: true.
   */
  required?: boolean;
  /**
   * Where the key is, in the platform's request, when it is not in the `Idempotency-Key` header; that is not looked at then. `undefined`
   * or an empty text: there is none. It runs inside the guards and outside the pipes, so the body is as it was parsed.
   */
  keyFrom?(request: unknown): string | undefined;
  /**
   * What makes the platform's request the same request, in the place of its query, its `If-Match` and its content; method and path always count.
   * A time that the client stamps, for example, is left out so. What it selects is compared as JSON. To leave out everything of a request that has
   * a query or a body is an error of each such request. Default: all of it counts.
   */
  sameRequest?(request: unknown): unknown;
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
  /** Whether the handler takes the platform's response (or `next`): to add to it, or to send it by itself. */
  response: 'untouched' | 'passthrough' | 'sent';
  /** Its `@Redirect()`, once the application starts. */
  redirection?: Redirection;
}

/** Metadata key of `@Idempotent()`, for those who document or lint routes. */
export const IDEMPOTENT = 'holdfast:idempotent';

/**
 * Makes a handler idempotent by key. It runs inside one database transaction, `@Tx()`, in which the record of the key commits
 * together with whatever the handler wrote. It may return a plain value (stored with the route's status), a `reply(…)`, or
 * throw a refusal, which is stored after everything the handler wrote is undone.
 *
 * It runs only when its claim is won: the claim is sent and awaited after guards and pipes, just before the method is called.
 * It runs again, each time in a new transaction after the earlier one was rolled back, when the database asks for it: after a
 * deadlock (40P01), a serialization failure (40001), a lock timeout (55P03), or when the connection's prepared statement is gone
 * or no longer fits (26000, 0A000); five times at most. So effects outside the transaction belong in a step.
 *
 * What interceptors of the application see and change of a `reply(…)`, or of the pending answer of `next(…)`, is its body alone. What fails
 * before the method was called, in a pipe for example, is never stored, whatever `render` says.
 *
 * On a class it stands for each of its handlers of POST, PUT, PATCH and DELETE, inherited ones too, that has none of its own.
 * @throws Error for a `window` that is none, and for one beside `windowMs`
 */
export function Idempotent(options: IdempotentOptions = {}): MethodDecorator & ClassDecorator {
  const windowMs = windowOf(options);
  const own = windowMs === undefined ? options : { ...options, windowMs };
  return (target: object, property?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (property !== undefined && descriptor) markHandler(own, target, property, descriptor);
    else markController(own, (target as { prototype: object }).prototype);
  };
}

/** The transaction of an `@Idempotent()` handler. */
export const Tx = createParamDecorator((_: unknown, context: ExecutionContext): Transaction => runOf(context).tx);

/** The run that a handler is in, for the wrapper around it. */
const Run = createParamDecorator((_: unknown, context: ExecutionContext): HandlerRun => runOf(context));

const RUN = Symbol('holdfast:run');

/** The request of the platform below Nest, as far as the core needs to carry a run to the handler. */
export interface CarriesRun {
  [RUN]?: HandlerRun;
}

/** Puts the run where `@Tx()` and the wrapper find it. */
export function carryRun(request: CarriesRun, run: HandlerRun): void {
  request[RUN] = run;
}

function runOf(context: ExecutionContext): HandlerRun {
  const run = context.switchToHttp().getRequest<CarriesRun>()[RUN];
  if (!run) throw new Error('@Tx() belongs to a handler with @Idempotent()');
  return run;
}

/** Those of the methods that change something by their definition (RFC 9110, section 9.2.1). */
const UNSAFE: ReadonlySet<unknown> = new Set([RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE]);

function markController(options: IdempotentOptions, prototype: object): void {
  for (const [property, inherited] of methodsOf(prototype)) {
    const handler: unknown = inherited.value;
    if (typeof handler !== 'function' || !UNSAFE.has(Reflect.getMetadata(METHOD_METADATA, handler))) continue;
    if (Reflect.hasMetadata(IDEMPOTENT, handler)) continue;
    const descriptor = { ...inherited };
    markHandler(options, prototype, property, descriptor);
    Object.defineProperty(prototype, property, descriptor);
  }
}

/** The nearest property of each name. */
function methodsOf(prototype: object): Map<string, PropertyDescriptor> {
  const found = new Map<string, PropertyDescriptor>();
  for (let level = prototype; level !== Object.prototype; level = Object.getPrototypeOf(level) as object) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (!found.has(name)) found.set(name, descriptor);
    }
  }
  return found;
}

function markHandler(options: IdempotentOptions, target: object, property: string | symbol, descriptor: PropertyDescriptor): void {
  const own: unknown = Reflect.getMetadata('design:paramtypes', target, property);
  const behind = Array.isArray(own) ? own.length : (descriptor.value as { length: number }).length;
  wrap(descriptor, behind + 1, options.optimistic ?? false);
  const controller = target.constructor;
  const route: IdempotentRoute = {
    ...options,
    readsIfMatch: readsIfMatch(controller, property),
    response: takesResponse(controller, property),
  };
  SetMetadata(IDEMPOTENT, route)(target, property, descriptor);
  // The interceptor sends the stored bytes itself. A parameter decorated with @Res() is Nest's documented way to be
  // told so; this one stands behind the handler's own parameters, which therefore never see it.
  Res()(target, property, behind);
  // Of the handler's own @Res({ passthrough: true }): for Nest would send then.
  Reflect.defineMetadata(RESPONSE_PASSTHROUGH_METADATA, false, controller, property);
  Run()(target, property, behind + 1);
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Has the method wait until the claim is won, unless it is optimistic, and hands what it decides to the core past the application's
 * interceptors; the run comes to it as one more parameter, at the given index.
 */
function wrap(descriptor: PropertyDescriptor, at: number, optimistic: boolean): void {
  const method = descriptor.value as Method;
  const wrapper: Method = async function (...args) {
    const run = args[at] as HandlerRun | undefined;
    // Without one it is called by itself, by a test for example.
    if (!run) return method.apply(this, args);
    if (!optimistic) await run.tx.now();
    run.reach();
    return run.handOver(await method.apply(this, args.slice(0, at - 1)));
  };
  Object.defineProperty(wrapper, 'name', { value: method.name });
  for (const key of Reflect.getMetadataKeys(method) as unknown[]) Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapper);
  descriptor.value = wrapper;
}
