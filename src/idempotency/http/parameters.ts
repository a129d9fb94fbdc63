import { RESPONSE_PASSTHROUGH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';

/**
 * True when a controller's handler can see the request's If-Match: by its name, or in all headers, or in the request. For another
 * handler it is no part of what was asked; a proxy or a client may send it with every request. Its parameters must be decorated
 * by now, as they are before its method is.
 */
export function readsIfMatch(controller: object, handler: string | symbol): boolean {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<string, { data?: unknown }>;
  return Object.entries(parameters).some(([key, { data }]) => {
    if (key.startsWith(`${RouteParamtypes.REQUEST}:`)) return true;
    return key.startsWith(`${RouteParamtypes.HEADERS}:`) && (typeof data !== 'string' || data.toLowerCase() === 'if-match');
  });
}

/** What a controller's handler does with the platform's response, by its `@Res()` and `@Next()`; to be asked before others are added. */
export function takesResponse(controller: object, handler: string | symbol): 'untouched' | 'passthrough' | 'sent' {
  const parameters = Object.keys((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as object);
  const takes = (...types: RouteParamtypes[]): boolean => types.some((type) => parameters.some((key) => key.startsWith(`${type}:`)));
  if (!takes(RouteParamtypes.RESPONSE, RouteParamtypes.NEXT)) return 'untouched';
  return Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, handler) ? 'passthrough' : 'sent';
}
