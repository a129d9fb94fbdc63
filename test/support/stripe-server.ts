import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startWorld, type World } from './app.js';

type Form = Record<string, string>;
type StripeObject = Record<string, unknown> & { id: string };
interface Answer {
  status: number;
  body: object;
}

/**
 * What goes wrong with the next POST: the effect happens and the answer is lost (`hang`, `drop`), or is a 500 that Stripe
 * remembers (`effect-and-500`); or an answer without any effect, of the given status and code.
 */
export type Fault = 'hang' | 'drop' | 'drop-before' | 'effect-and-500' | 'proxy-page' | { status: number; code?: string; type?: string };

const DECLINES: Record<string, { code: string; decline_code?: string }> = {
  tok_chargeDeclined: { code: 'card_declined', decline_code: 'generic_decline' },
  tok_chargeDeclinedInsufficientFunds: { code: 'card_declined', decline_code: 'insufficient_funds' },
  tok_chargeDeclinedExpiredCard: { code: 'expired_card' },
  pm_card_issuerWantsAuthentication: { code: 'card_declined', decline_code: 'authentication_not_handled' },
};

const STATUSES: Record<string, string> = { tok_threeDSecure2Required: 'requires_action', pm_slow: 'processing' };

/** The few calls of Stripe's API that Holdfast uses, with its idempotency as the API reference describes it. */
export class StripeServer {
  readonly intents: StripeObject[] = [];
  readonly refunds: StripeObject[] = [];
  readonly requests: { method: string; path: string; key: string | undefined; form: Form }[] = [];
  /** Of the next POSTs, one each; `undefined` lets one pass. */
  readonly faults: (Fault | undefined)[] = [];
  /** What search can't see yet: the index lags behind. */
  readonly unindexed = new Set<string>();
  searchStatus = 200;
  refundStatus = 'succeeded';
  /** Members that every object is shown with, whatever it was made with. */
  lie: Record<string, unknown> = {};
  private readonly remembered = new Map<string, { parameters: string; answer: Answer }>();
  private server: Server;

  async start(): Promise<this> {
    this.server = createServer((request, response) => void this.serve(request, response));
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** What happens to keys when they are at least 24 hours old. */
  forgetKeys(): void {
    this.remembered.clear();
  }

  get posts() {
    return this.requests.filter(({ method }) => method === 'POST');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://stripe');
    const method = request.method ?? '';
    const form = Object.fromEntries(method === 'POST' ? new URLSearchParams(Buffer.concat(chunks).toString()) : searchParams);
    const key = request.headers['idempotency-key'] as string | undefined;
    this.requests.push({ method, path, key, form });
    const fault = method === 'POST' ? this.faults.shift() : undefined;
    if (fault === 'drop-before') return void request.socket.destroy();
    if (fault === 'proxy-page') return void response.writeHead(502).end('<html>Bad Gateway</html>');
    const answer = typeof fault === 'object' ? refusal(fault.status, fault) : this.answer(method, path, form, key, fault);
    if (fault === 'hang') return;
    if (fault === 'drop') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', 'request-id': 'req_1', 'stripe-should-retry': 'true' });
    response.end(JSON.stringify(answer.body));
  }

  private answer(method: string, path: string, form: Form, key: string | undefined, fault: Fault | undefined): Answer {
    if (method === 'GET') return this.read(path, form);
    const parameters = JSON.stringify([path, form]);
    const known = key === undefined ? undefined : this.remembered.get(key);
    if (known) return known.parameters === parameters ? known.answer : refusal(400, { type: 'idempotency_error' });
    const done = this.act(path, form);
    const answer = fault === 'effect-and-500' ? refusal(500, { type: 'api_error' }) : done;
    if (key !== undefined) this.remembered.set(key, { parameters, answer });
    return answer;
  }

  private act(path: string, form: Form): Answer {
    if (path === '/v1/refunds') return this.refund(form);
    if (path === '/v1/payment_intents') return this.pay(form);
    return this.cancel(
      this.intents.find(({ id }) => path === `/v1/payment_intents/${id}/cancel`),
      form,
    );
  }

  private pay(form: Form): Answer {
    const token = form['payment_method_data[card][token]'];
    const source = form['payment_method'] ?? token ?? '';
    // As of 2026-09-30.endive.
    if (form['payment_method_types[0]']) return refusal(400, { code: 'payment_method_types_no_longer_supported' });
    if (form['automatic_payment_methods[allow_redirects]'] !== 'never' || form['error_on_requires_action']) return refusal(400, {});
    if (source.startsWith('tok_') !== (token === source) || source.endsWith('nobody_knows'))
      return refusal(400, { code: 'resource_missing' });
    const error = DECLINES[source];
    const status = error ? 'requires_payment_method' : (STATUSES[source] ?? 'succeeded');
    const intent = {
      id: `pi_${this.intents.length + 1}`,
      object: 'payment_intent',
      status: form['confirm'] === 'true' ? status : 'requires_confirmation',
      amount: Number(form['amount']),
      currency: form['currency'],
      metadata: metadataOf(form),
      cancellation_reason: null,
      last_payment_error: error ? { type: 'card_error', ...error } : null,
    };
    this.intents.push(intent);
    const shown = { ...intent, ...this.lie };
    return error ? refusal(402, { type: 'card_error', ...error, payment_intent: shown }) : { status: 200, body: shown };
  }

  private cancel(intent: StripeObject | undefined, form: Form): Answer {
    if (!intent) return refusal(404, { code: 'resource_missing' });
    if (!String(intent['status']).startsWith('requires_')) return refusal(400, { code: 'payment_intent_unexpected_state' });
    Object.assign(intent, { status: 'canceled', cancellation_reason: form['cancellation_reason'] ?? null });
    return { status: 200, body: { ...intent } };
  }

  private refund(form: Form): Answer {
    const amount = Number(form['amount']);
    const intent = this.intents.find(({ id }) => id === form['payment_intent']);
    if (!intent) return refusal(404, { code: 'resource_missing' });
    const before = this.refunds
      .filter(({ payment_intent }) => payment_intent === intent.id)
      .reduce((sum, each) => sum + Number(each['amount']), 0);
    if (before + amount > Number(intent['amount'])) return refusal(400, { code: 'charge_already_refunded' });
    const refund = {
      id: `re_${this.refunds.length + 1}`,
      object: 'refund',
      status: this.refundStatus,
      amount,
      currency: intent['currency'],
      payment_intent: intent.id,
      metadata: metadataOf(form),
    };
    this.refunds.push(refund);
    return { status: 200, body: { ...refund, ...this.lie } };
  }

  private read(path: string, query: Form): Answer {
    if (path === '/v1/payment_intents/search') {
      if (this.searchStatus !== 200) return refusal(this.searchStatus, {});
      const reference = /^metadata\['reference'\]:'(\w+)'$/.exec(query['query'] ?? '')?.[1]?.toLowerCase();
      const data = this.intents
        .filter(({ id, metadata }) => !this.unindexed.has(id) && (metadata as Form)['reference']?.toLowerCase() === reference)
        // The index may be behind with what it shows, too.
        .map((intent) => ({ ...intent, status: 'processing' }));
      return { status: 200, body: { object: 'search_result', data, has_more: false } };
    }
    if (path === '/v1/refunds') {
      const all = this.refunds.filter(({ payment_intent }) => payment_intent === query['payment_intent']).toReversed();
      const start = query['starting_after'] ? all.findIndex(({ id }) => id === query['starting_after']) + 1 : 0;
      const data = all.slice(start, start + Number(query['limit'] ?? 10));
      return { status: 200, body: { object: 'list', data, has_more: start + data.length < all.length } };
    }
    const found =
      this.intents.find(({ id }) => path === `/v1/payment_intents/${id}`) ?? this.refunds.find(({ id }) => path === `/v1/refunds/${id}`);
    const back = this.refunds.filter((each) => each['payment_intent'] === found?.id && each['status'] === 'succeeded');
    const latest_charge = { disputed: false, amount_refunded: back.reduce((sum, each) => sum + Number(each['amount']), 0) };
    return found ? { status: 200, body: { latest_charge, ...found, ...this.lie } } : refusal(404, { code: 'resource_missing' });
  }
}

function metadataOf(form: Form): Form {
  const members = Object.entries(form).flatMap(([name, value]) => {
    const key = /^metadata\[(\w+)\]$/.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(members);
}

function refusal(status: number, error: { type?: string; code?: string; payment_intent?: object }): Answer {
  return { status, body: { error: { type: 'invalid_request_error', message: 'sk_test_***key is mentioned here', ...error } } };
}

/** A Stripe of its own and a replica that uses it; `close` ends both. */
export async function startStripeWorld(env: Record<string, string> = {}): Promise<World & { stripe: StripeServer }> {
  const stripe = await new StripeServer().start();
  const world = await startWorld({ PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_notarealkey', STRIPE_API_HOST: stripe.url, ...env });
  return {
    ...world,
    stripe,
    close: async () => {
      await world.close();
      await stripe.close();
    },
  };
}
