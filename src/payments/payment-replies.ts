import { reply, type Reply, type StepRun, type Transaction } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import { PROBLEM_JSON, Problem, problemDocument } from '../http/problem.js';

/** Where payments are made, and their refunds. Records name what made a payment or a refund by it. */
export const PAYMENTS_PATH = '/v1/payments';
export const REFUNDS_OF_PAYMENT_PATH = `${PAYMENTS_PATH}/:id/refunds`;
/** Where refunds are found. */
export const REFUNDS_PATH = '/v1/refunds';

/** Where the story of what makes them is found. */
export const OPERATIONS_PATH = '/v1/operations';

/** Where a payment is found. */
export function paymentPath(payment: { id: string }): string {
  return `${PAYMENTS_PATH}/${publicId('pay', payment.id)}`;
}

/** Where a refund is found. */
export function refundPath(refund: { id: string }): string {
  return `${REFUNDS_PATH}/${publicId('re', refund.id)}`;
}

/** What a client is told while the provider's answer is not known: the address of the operation, and to come back. */
export function pending(tx: Transaction, view: unknown, resource: string): Reply {
  return reply(202, view, { location: `${OPERATIONS_PATH}/${tx.operationId}`, resource });
}

/** A refusal that, unlike a thrown one, keeps what the transaction wrote. */
export function problemReply(problem: Problem, { operationId, traceId }: StepRun, resource: string): Reply {
  const document = problemDocument(problem, { instance: `${OPERATIONS_PATH}/${operationId}`, requestId: traceId, operationId });
  return reply(problem.status, document, { 'content-type': PROBLEM_JSON, resource });
}

/**
 * The provider's key and reference derive from the client's key, and the provider remembers them: a key that was used
 * once can't be used again, even where late requests are executed.
 */
export function keySpent(): Problem {
  return new Problem('idempotency-key-expired', 'The provider remembers an earlier request with this key, so it cannot be made once more.');
}

/** The payment was wanted no more. `became`: what became of its charge. */
export function deadlinePassed(payment: unknown, became: string): Problem {
  return new Problem('deadline-passed', `The deadline of the payment has passed; ${became}.`, { members: { payment } });
}

/** Another payment of the order has no outcome yet. */
export function inFlight(): Problem {
  return new Problem('payment-in-progress', 'Another payment of this order is under way.');
}

/** Nothing is at the provider, and nothing follows. `done`: what did not happen. */
export function notReached(done: 'charged' | 'refunded'): Problem {
  return new Problem('provider-unavailable', `The payment provider was not reached. Nothing was ${done}.`);
}
