import { ClassSerializerInterceptor } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import type { StoredResponse } from './reply.js';

/**
 * The application's interceptors that Nest puts around `own`: those that a module registers as `APP_INTERCEPTOR` before it. The root
 * module's always are. Those of requests, of controllers and of `useGlobalInterceptors()` stand inside.
 */
export function outerInterceptors(discovery: DiscoveryService, own: object): unknown[] {
  const global = discovery.getProviders().filter((provider) => provider.subtype === 'interceptor' && provider.isDependencyTreeStatic());
  const instances = global.map(({ instance }) => instance as unknown);
  return instances.slice(0, instances.indexOf(own));
}

/** @throws Error where one of them is to keep members of answers to itself: the answer would be sent and stored with them */
export function refuseOuterSerializers(outer: readonly unknown[]): void {
  const found = outer.find((one) => one instanceof ClassSerializerInterceptor);
  if (found) throw new Error(`${found.constructor.name}: ${SERIALIZER_OUTSIDE}`);
}

/** What those outside are given of an answer, first or replayed: its body as it was sent. */
export function bodyOf({ headers, body }: StoredResponse): unknown {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  if (body === '' || !/^application\/(?:[^;]+\+)?json\b/i.test(type ?? '')) return body;
  return JSON.parse(body);
}

const SERIALIZER_OUTSIDE =
  'as an APP_INTERCEPTOR it stands outside of the idempotent handlers, whose answers would be stored and sent with what it excludes: register it by app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector)))';
