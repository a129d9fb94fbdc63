import { CUSTOM_ROUTE_ARGS_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
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
  /** Names of the headers that it reads. The library drops those whose type is `string | undefined`, which leaves no metadata. */
  headers: string[];
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
        headers: headersOf(controller, name),
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

function headersOf(controller: Controller, method: string): string[] {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as Record<string, { data?: unknown }>;
  return Object.entries(parameters).flatMap(([kind, { data }]) =>
    // Decorators of this service's own name their header as well.
    (kind.startsWith(`${RouteParamtypes.HEADERS}:`) || kind.includes(CUSTOM_ROUTE_ARGS_METADATA)) && typeof data === 'string'
      ? [data.toLowerCase()]
      : [],
  );
}
