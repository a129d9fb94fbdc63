import { ModulesContainer, Reflector, MetadataScanner } from '@nestjs/core';
import { PUBLIC, SCOPE } from '../accounts/access.guard.js';
import type { Scope } from '../accounts/api-key.js';
import { IDEMPOTENT, type IdempotentOptions } from '../idempotency/index.js';
import { API, type ApiOptions } from './api.decorator.js';

/** What the decorators of a handler say about it. */
export interface DocumentedRoute {
  api: ApiOptions;
  /** Undefined where the handler takes no key. */
  idempotent: IdempotentOptions | undefined;
  /** The scope that it needs; undefined where it is public. */
  scope: Scope | undefined;
}

/** Every handler with `@Api()`, by its operationId. Reads metadata only, so it needs no instances. */
export function documentedRoutes(modules: ModulesContainer): Map<string, DocumentedRoute> {
  const reflector = new Reflector();
  const scanner = new MetadataScanner();
  const routes = new Map<string, DocumentedRoute>();
  for (const controller of controllersOf(modules)) {
    const prototype = controller.prototype as Record<string, () => unknown>;
    for (const name of scanner.getAllMethodNames(prototype)) {
      const handler = prototype[name];
      const api = handler && reflector.get<ApiOptions | undefined>(API, handler);
      if (!handler || !api) continue;
      if (routes.has(api.id)) throw new Error(`two operations are called ${api.id}`);
      const isPublic = reflector.getAllAndOverride<boolean | undefined>(PUBLIC, [handler, controller]);
      routes.set(api.id, {
        api,
        idempotent: reflector.get<IdempotentOptions | undefined>(IDEMPOTENT, handler),
        scope: isPublic ? undefined : reflector.getAllAndOverride<Scope | undefined>(SCOPE, [handler, controller]),
      });
    }
  }
  return routes;
}

type Controller = (new (...dependencies: never[]) => object) & { prototype: object };

function controllersOf(modules: ModulesContainer): Set<Controller> {
  return new Set(
    [...modules.values()].flatMap((module) => [...module.controllers.values()].map(({ metatype }) => metatype as unknown as Controller)),
  );
}
