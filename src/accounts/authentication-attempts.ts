import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AuthenticationTrail } from './authentication-trail.js';
import type { Caller, Failure } from './authenticator.js';
import { RateLimits } from './rate-limits.js';
import { RefusalPacer } from './refusal-pacer.js';

/** Of all who say who they are, be it by an API key or by a signature: the trail of that, and bounds for those of whom it isn't true. */
@Injectable()
export class AuthenticationAttempts {
  private readonly pacer = new RefusalPacer();

  constructor(
    private readonly limits: RateLimits,
    private readonly trail: AuthenticationTrail,
  ) {}

  /** @throws Problem `rate-limited` for an address that has failed too often, whatever it sends, when that may leave */
  async admit(request: FastifyRequest): Promise<void> {
    try {
      this.limits.checkAddress(request);
    } catch (error) {
      await this.pacer.turn();
      throw error;
    }
  }

  succeeded(caller: Caller, request: FastifyRequest): void {
    this.trail.succeeded(caller, request.ip);
  }

  /** Counts a failure for its address. Resolves when the refusal may leave. */
  async failed(reason: Failure, request: FastifyRequest): Promise<void> {
    this.trail.failed(reason, request);
    await this.limits.countFailure(request);
    await this.pacer.turn();
  }

  /** Nobody could find out who sends it. Resolves when that may be said. */
  undecided(): Promise<void> {
    return this.pacer.turn();
  }
}
