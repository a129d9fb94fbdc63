import type { Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';

const known = new WeakMap<object, boolean>();

/**
 * True when a handler can see the request's If-Match: by its name, or in all headers, or in the request. For another handler it
 * is no part of what was asked; a proxy or a client may send it with every request.
 */
export function readsIfMatch(controller: Type, handler: object & { name: string }): boolean {
  const answer = known.get(handler) ?? findIfMatch(controller, handler.name);
  known.set(handler, answer);
  return answer;
}

function findIfMatch(controller: Type, handler: string): boolean {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<string, { data?: unknown }>;
  return Object.entries(parameters).some(([key, { data }]) => {
    if (key.startsWith(`${RouteParamtypes.REQUEST}:`)) return true;
    return key.startsWith(`${RouteParamtypes.HEADERS}:`) && (typeof data !== 'string' || data.toLowerCase() === 'if-match');
  });
}
