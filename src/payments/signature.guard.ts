import { CanActivate, ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthenticationAttempts } from '../accounts/authentication-attempts.js';
import { tooLarge } from '../http/body.js';
import { BODY_LIMIT } from '../http/body-size.js';
import { BodyReader } from '../http/body-reader.js';
import { Problem } from '../http/problem.js';
import { SIGNED_EVENTS, type EventHint, type SignedEvents } from './provider/signed-event.js';

/** Events that have arrived in part hold so many bytes together: whoever can make up headers could send them, so clients share nothing with them. */
const HALF_SENT_LIMIT = 16 * BODY_LIMIT;

/**
 * Lets an event of the provider in when it is signed, and makes it the body of the request. Whoever sends others is a stranger as
 * one without an API key is: the body of one whose headers can't be right is not read, and failures count for the address.
 */
@Injectable()
export class SignatureGuard implements CanActivate {
  private readonly bodies = new BodyReader(HALF_SENT_LIMIT);

  constructor(
    private readonly attempts: AuthenticationAttempts,
    @Inject(SIGNED_EVENTS) private readonly signed: SignedEvents,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    await this.attempts.admit(request);
    const read = await this.believe(request, () => this.signed.accept(request.headers));
    const bytes = await this.bodies.receive(request.raw, http.getResponse<FastifyReply>().raw);
    if (bytes === undefined) throw tooLarge();
    request.body = await this.believe<EventHint>(request, () => read(bytes));
    return true;
  }

  private async believe<T>(request: FastifyRequest, check: () => T): Promise<T> {
    try {
      return check();
    } catch (error) {
      await this.attempts.failed('invalid-signature', request);
      throw new Problem('invalid-signature', 'The webhook is not signed with the shared secret, or too long ago.', { cause: error });
    }
  }
}
