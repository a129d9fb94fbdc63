import { CanActivate, ExecutionContext, Injectable, SetMetadata, createParamDecorator } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.js';
import type { Scope } from './api-key.js';
import { RefusalPacer } from './refusal-pacer.js';
import { Authenticator, type Caller as CallerType } from './authenticator.js';

/** Metadata keys of the two decorators below, for those who document or lint routes. */
export const PUBLIC = 'holdfast:public';
export const SCOPE = 'holdfast:scope';
const CALLER = Symbol('holdfast:caller');

type AuthenticatedRequest = FastifyRequest & { [CALLER]?: CallerType };

/** A route for everybody, without an API key. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

/** The scope that a route needs. A route with neither this nor `@Public()` is closed to all. */
export const NeedsScope = (scope: Scope): MethodDecorator & ClassDecorator => SetMetadata(SCOPE, scope);

/** Who sent the request. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) => callerOf(context.switchToHttp().getRequest()));

/** The caller of an authenticated request. @throws Error on a public route */
export function callerOf(request: unknown): CallerType {
  const caller = (request as AuthenticatedRequest)[CALLER];
  if (!caller) throw new Error('a public route has no caller');
  return caller;
}

/** Lets a request in when its API key is valid and carries the route's scope. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly refusals = new RefusalPacer();

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, places)) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const caller = await this.authenticator.authenticate(request.headers.authorization);
    if (!caller) {
      await this.refusals.turn();
      void http.getResponse<FastifyReply>().header('www-authenticate', 'Bearer realm="holdfast"');
      throw new Problem('unauthenticated', 'The request needs a valid API key: Authorization: Bearer <API key>.');
    }
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, places);
    if (!scope || !(caller.scopes.has(scope) || caller.scopes.has('admin'))) {
      throw new Problem('insufficient-scope', scope ? `This route needs the scope ${scope}.` : 'This route is closed.');
    }
    request[CALLER] = caller;
    return true;
  }
}
