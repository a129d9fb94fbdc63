import type { Stripe } from 'stripe';
import { exchange, type Exchange } from './http-call.js';

/** No answer of Stripe: whether a byte of the request left, the SDK's own errors don't tell. */
export class Unanswered extends Error {
  constructor(readonly exchange: Exclude<Exchange, { kind: 'answer' }>) {
    super(exchange.reason);
  }
}

/**
 * The SDK's way to Stripe over Holdfast's own HTTP call, which knows what was sent and keeps one deadline for connecting
 * and answering together (the SDK's timeout is one of silence on the socket).
 *
 * Its errors carry no `code` on purpose. The SDK repeats a request that ended in ECONNRESET or EPIPE even with
 * `maxNetworkRetries: 0` (`RequestSender._shouldRetry`, stripe-node issue 2808), past the deadline, and would then report
 * the second try alone: "connection refused" for a call whose first try may have charged.
 */
export const stripeTransport: Stripe.HttpClient = {
  getClientName: () => 'node',

  async makeRequest(host, port, path, method, headers, data, protocol, timeoutMs) {
    const answer = await exchange({
      method: method === 'GET' ? 'GET' : 'POST',
      url: `${protocol}://${host}:${port}${path}`,
      headers,
      ...(data && { body: data }),
      timeoutMs,
    });
    if (answer.kind !== 'answer') throw new Unanswered(answer);
    return {
      getStatusCode: () => answer.status,
      getHeaders: () => answer.headers as Record<string, string | string[]>,
      getRawResponse: () => answer,
      toStream: () => {
        throw new Error('answers are read whole');
      },
      // The SDK looks into what it gets; something that is no JSON object, a proxy's page for example, is its error to report.
      toJSON: () => (typeof answer.body === 'object' && answer.body ? Promise.resolve(answer.body) : Promise.reject(new Error('no JSON'))),
    };
  },
};
