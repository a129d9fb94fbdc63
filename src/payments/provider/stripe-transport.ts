import type Stripe from 'stripe';
import { exchange } from './http-call.js';

/** No answer came, and whether a byte of the request left: what the SDK's own errors don't tell. */
export class Unanswered extends Error {
  constructor(
    reason: string,
    readonly sent: boolean,
  ) {
    super(reason);
  }
}

/**
 * The SDK's way to Stripe over Holdfast's own HTTP call, which knows what was sent and has one deadline for connecting and
 * answering together (the SDK's timeout is one of silence on the socket).
 *
 * Its errors have no `code` on purpose. After ECONNRESET or EPIPE the SDK sends once more, even with `maxNetworkRetries: 0`
 * (`RequestSender._shouldRetry`, stripe-node issue 2808): past the deadline, and reporting that second try alone, a refused
 * connection for example, where the first may have charged.
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
    if (answer.kind !== 'answer') throw new Unanswered(answer.reason, answer.kind === 'lost');
    const { status, body } = answer;
    return {
      getStatusCode: () => status,
      getHeaders: () => answer.headers as Record<string, string | string[]>,
      getRawResponse: () => answer,
      toStream: () => {
        throw new Error('answers are read whole');
      },
      // A page of some proxy, say: the SDK reports it as none of Stripe's.
      toJSON: () => (typeof body === 'object' && body !== null ? Promise.resolve(body) : Promise.reject(new Error('not JSON'))),
    };
  },
};
