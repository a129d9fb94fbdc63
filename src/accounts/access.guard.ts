import { CanActivate, ExecutionContext, Injectable, SetMetadata, createParamDecorator } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.js';
import { IDEMPOTENT, readRetry } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import { writeAct } from '../kernel/trail.js';
import { Metrics } from '../observability/metrics.registry.js';
import { tell } from '../observability/told.js';
import type { Scope } from './api-key.js';
import { AuthenticationAttempts } from './authentication-attempts.js';
import { RateLimits, refuseOver } from './rate-limits.js';
import { Authenticator, type Caller as CallerType, type Failure } from './authenticator.js';

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

/** The same where there may be none: on public routes, and where authentication failed. */
export function knownCallerOf(request: unknown): CallerType | undefined {
  return (request as AuthenticatedRequest)[CALLER];
}

/** Lets a request in when its API key is valid and carries the route's scope. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly attempts: AuthenticationAttempts,
    private readonly limits: RateLimits,
    private readonly metrics: Metrics,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, places)) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const reply = http.getResponse<FastifyReply>();
    const caller = await this.authenticate(request, reply);
    // Known from here on, also to the log line of a request that goes no further.
    request[CALLER] = caller;
    const standing = await this.limits.count(caller.accountId, reply);
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(SCOPE, places);
    requireScope(request, scope);
    if (standing.isOver) this.countLimited(context);
    refuseOver(standing);
    return true;
  }

  /** Where the route takes a key: the core counts its requests, and doesn't see this one. */
  private countLimited(context: ExecutionContext): void {
    if (!this.reflector.get<object | undefined>(IDEMPOTENT, context.getHandler())) return;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { method, routeOptions, headers } = request;
    const outcome = 'rate-limited';
    tell(request, { outcome });
    const labels = { operation: `${method} ${routeOptions.url}`, outcome, retry_reason: readRetry(headers).reason ?? '' } as const;
    this.metrics.count('idempotency_requests_total', labels);
  }

  private async authenticate(request: FastifyRequest, reply: FastifyReply): Promise<CallerType> {
    await this.attempts.admit(request);
    const caller = await this.find(request);
    if (typeof caller !== 'string') {
      this.attempts.succeeded(caller, request);
      return caller;
    }
    await this.attempts.failed(caller, request);
    void reply.header('www-authenticate', 'Bearer realm="holdfast"');
    throw unauthenticated();
  }

  private async find(request: FastifyRequest): Promise<CallerType | Failure> {
    try {
      return await this.authenticator.authenticate(request.headers.authorization);
    } catch (error) {
      await this.attempts.undecided();
      throw error;
    }
  }
}

/** True when the caller's key carries the scope. */
export function mayUse({ scopes }: CallerType, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}

/**
 * Goes on only when the caller's API key carries the scope; that it doesn't is an act of the trail. `detail`: what the client
 * is told, where it isn't the route that needs the scope. Without a scope nobody may go on.
 * @throws Problem `insufficient-scope`
 */
export function requireScope(request: FastifyRequest, scope: Scope | undefined, detail?: string): void {
  const caller = callerOf(request);
  if (scope && mayUse(caller, scope)) return;
  const who = { accountId: publicId('acct', caller.accountId), keyId: `key_${caller.keyId}`, address: request.ip };
  writeAct('scope.refused', { ...who, scope, requestId: request.id });
  throw scopeMissing(scope, detail);
}

/** That nobody knows who sends the request. */
export function unauthenticated(): Problem {
  return new Problem('unauthenticated', 'The request needs a valid API key: Authorization: Bearer <API key>.');
}

/** That the API key may not do this; without a scope, that none may. */
export function scopeMissing(scope: string | undefined, detail?: string): Problem {
  return new Problem('insufficient-scope', detail ?? (scope ? `This route needs the scope ${scope}.` : 'This route is closed.'));
}
