import { METHOD_METADATA, REDIRECT_METADATA, RENDER_METADATA, SSE_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, type DiscoveryService } from '@nestjs/core';
import type { Redirection } from './http/answer.js';
import { IDEMPOTENT, type IdempotentRoute } from './idempotent.decorator.js';
import { archiveIsTooShort, type CompleteOptions } from './options.js';

/** A method with `@Idempotent()`. */
export interface Marked {
  /** `Class.method` */
  name: string;
  handler: object;
  route: IdempotentRoute;
}

/** What `@nestjs/microservices` says of a handler of messages. */
const PATTERN_METADATA = 'microservices:pattern';

/**
 * Takes `@Redirect()` off the handlers of the application, to be stored with their answers: Nest redirects by itself whatever was sent
 * before. To be called before the routes are made.
 */
export function keepRedirections(discovery: DiscoveryService): void {
  for (const { handler, route } of markedHandlers(discovery)) {
    const redirection = Reflect.getMetadata(REDIRECT_METADATA, handler) as Redirection | undefined;
    if (!redirection) continue;
    route.redirection = redirection;
    Reflect.deleteMetadata(REDIRECT_METADATA, handler);
  }
}

/** @throws Error naming the first handler that can't be idempotent as it is, and what is to be done */
export function refuseWrongHandlers(discovery: DiscoveryService, options: CompleteOptions): void {
  for (const marked of markedHandlers(discovery)) {
    const wrong = wrongIn(marked, options);
    if (wrong) throw new Error(`${marked.name}: ${wrong}`);
  }
}

function wrongIn({ handler, route }: Marked, { join, archiveMs }: CompleteOptions): string | undefined {
  const { optimistic, windowMs = 0, response } = route;
  const has = (key: string): boolean => Reflect.hasMetadata(key, handler);
  if (!has(METHOD_METADATA) || has(PATTERN_METADATA))
    return '@Idempotent() belongs to a route of HTTP; messages, GraphQL, sockets and services take Idempotency.run(…)';
  if (response === 'sent')
    return 'a handler that sends its answer by itself, by @Res() or @Next(), has none that could be stored: return it, and take @Res({ passthrough: true }) for status and headers';
  if (has(RENDER_METADATA)) return '@Render() makes its page when the answer is stored already: return the text of the page';
  if (has(SSE_METADATA)) return '@Sse() is a stream, which has no answer to be stored';
  // What joins writes where the claim may not be won yet, and may run in vain.
  if (optimistic && join) return 'an optimistic handler needs join: false, since what joins may run in vain';
  return archiveIsTooShort(windowMs, archiveMs);
}

/** Of controllers, and of all other providers, where none belongs. */
export function* markedHandlers(discovery: DiscoveryService): Generator<Marked> {
  const scanner = new MetadataScanner();
  for (const { instance, name } of [...discovery.getControllers(), ...discovery.getProviders()]) {
    if (typeof instance !== 'object' || instance === null) continue;
    const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
    for (const method of prototype ? scanner.getAllMethodNames(prototype) : []) {
      const handler = prototype?.[method];
      const route = typeof handler === 'function' ? (Reflect.getMetadata(IDEMPOTENT, handler) as IdempotentRoute | undefined) : undefined;
      if (route) yield { name: `${String(name)}.${method}`, handler: handler as object, route };
    }
  }
}
