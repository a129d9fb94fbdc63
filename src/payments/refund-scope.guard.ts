import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf, mayUse, requireScope } from '../accounts/access.guard.js';
import { Operations, parseKey } from '../idempotency/index.js';
import { CANCEL_REFUND } from './cancel-refund.step.js';

/** What moves money needs. */
const SCOPE = 'payments:write';

/**
 * @throws Problem `insufficient-scope` where the request's API key may not give money back. It is not final: what was written
 * before is undone, and the idempotency key stays unused
 */
export function requireRefundScope(request: FastifyRequest): void {
  requireScope(request, SCOPE, `Cancelling this order gives money back, which needs the scope ${SCOPE}.`);
}

/**
 * Keeps the answer of a cancellation that gave money back from API keys that may not do that: they neither read it by a
 * replay nor take it over. It looks before the key is claimed: a cancellation that begins to give money back in the
 * milliseconds between the two may still be answered. Whether this request would give money back itself is decided under the
 * order's lock, not here.
 */
@Injectable()
export class RefundScopeGuard implements CanActivate {
  constructor(private readonly operations: Operations) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const sent = request.headers['idempotency-key'];
    const caller = callerOf(request);
    if (mayUse(caller, SCOPE) || typeof sent !== 'string') return true;
    const [known] = await this.operations.list(caller.accountId, { key: parseKey(sent), before: null, limit: 1 });
    if (known?.recoveryPoint === CANCEL_REFUND) requireRefundScope(request);
    return true;
  }
}
