import { ClassSerializerInterceptor, Logger, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { tap } from 'rxjs';
import type { StoredResponse } from './reply.js';

/**
 * The application's interceptors that Nest puts around `own`: those that a module registers as `APP_INTERCEPTOR` before it. The root
 * module's always are. Those of requests, of controllers and of `useGlobalInterceptors()` stand inside.
 */
export function outerInterceptors(discovery: DiscoveryService, own: NestInterceptor): NestInterceptor[] {
  const global = discovery.getProviders().filter((provider) => provider.subtype === 'interceptor' && provider.isDependencyTreeStatic());
  const instances = global.map(({ instance }) => instance as NestInterceptor);
  return instances.slice(0, instances.indexOf(own));
}

/** @throws Error where one of them is to keep members of answers to itself: the answer would be sent and stored with them */
export function refuseOuterSerializers(outer: readonly unknown[]): void {
  const found = outer.find((one) => one instanceof ClassSerializerInterceptor);
  if (found) throw new Error(`${found.constructor.name}: ${SERIALIZER_OUTSIDE}`);
}

/** Gives the interceptors outside each answer, and tells of a handler once when they make something else of it. */
export class OuterWitness {
  private readonly log = new Logger('Idempotency');
  /** What the answer to a request is, to be compared. */
  private readonly given = new WeakMap<object, string>();
  private readonly told = new Set<unknown>();

  constructor(private readonly outer: readonly NestInterceptor[]) {
    const [outermost] = outer;
    if (outermost) this.watch(outermost);
  }

  /** What those outside are given of an answer, first or replayed. */
  show(context: ExecutionContext, response: StoredResponse): unknown {
    const body = bodyOf(response);
    this.given.set(context.switchToHttp().getRequest<object>(), textOf(body));
    return body;
  }

  private watch(outermost: NestInterceptor): void {
    const intercept = outermost.intercept.bind(outermost);
    outermost.intercept = async (context, next) =>
      (await intercept(context, next)).pipe(tap((made: unknown) => context.getType() === 'http' && this.compare(context, made)));
  }

  private compare(context: ExecutionContext, made: unknown): void {
    const given = this.given.get(context.switchToHttp().getRequest<object>());
    const handler = context.getHandler();
    if (given === undefined || given === textOf(made) || this.told.has(handler)) return;
    this.told.add(handler);
    const names = this.outer.map((one) => one.constructor.name).join(', ');
    this.log.error(`${names}: ${CHANGED_OUTSIDE} (${context.getClass().name}.${handler.name})`);
  }
}

/** What compares: another text for what can't be sent at all. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch (error) {
    return String(error);
  }
}

/** The body as it was sent. */
function bodyOf({ headers, body }: StoredResponse): unknown {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  if (body === '' || !/^application\/(?:[^;]+\+)?json\b/i.test(type ?? '')) return body;
  return JSON.parse(body);
}

const SERIALIZER_OUTSIDE =
  'as an APP_INTERCEPTOR it stands outside of the idempotent handlers, whose answers would be stored and sent with what it excludes: register it by app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector)))';

const CHANGED_OUTSIDE =
  'as an APP_INTERCEPTOR it stands outside of the idempotent handlers, and makes another answer of theirs, which is neither sent nor stored: register it by app.useGlobalInterceptors(…), or on controllers';
