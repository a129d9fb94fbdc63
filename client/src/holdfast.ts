import { ask, intentRoute, readList, type ReadOptions } from './api/routes.js';
import type { BodyOf, Event, ListName, OperationName, QueryOf } from './api/types.js';
import { IdempotentClient } from './client.js';

/** What a change of a product is meant for, by its ETag: the version that is there, or `ifNoneMatch: '*'` for none at all. */
export interface Precondition {
  ifMatch?: string;
  ifNoneMatch?: '*';
}

/**
 * A client of Holdfast. Each of its routes that takes a key has `prepare` and `place`; each list is read to its end by `for await`;
 * whatever else is asked has an `Outcome`. An `etag` is the one that `headers.etag` of an outcome has.
 */
export class HoldfastClient extends IdempotentClient {
  readonly orders = {
    ...this.intents<'placeOrder'>('/v1/orders'),
    batch: this.intents<'placeOrders'>('/v1/orders/batch'),
    list: this.lists<'listOrders'>('/v1/orders'),
    get: this.reads<'getOrder'>('/v1/orders'),
    change: (id: string, etag: string) => this.changes<'changeOrder'>(`/v1/orders/${segment(id)}`, etag),
    cancel: (id: string) => this.intents<'cancelOrder'>(`/v1/orders/${segment(id)}/cancel`),
  };

  readonly payments = {
    ...this.intents<'createPayment'>('/v1/payments'),
    list: this.lists<'listPayments'>('/v1/payments'),
    get: this.reads<'getPayment'>('/v1/payments'),
    /** Gives money of the payment back. */
    refund: (id: string) => this.intents<'createRefund'>(`/v1/payments/${segment(id)}/refunds`),
  };

  readonly refunds = { get: this.reads<'getRefund'>('/v1/refunds') };

  readonly products = {
    list: this.lists<'listProducts'>('/v1/products'),
    get: this.reads<'getProduct'>('/v1/products'),
    put: (id: string, body: BodyOf<'putProduct'>, { ifMatch, ifNoneMatch, ...options }: Precondition & ReadOptions = {}) =>
      ask<'putProduct'>(this, 'PUT', `/v1/products/${segment(id)}`, { ...options, body, headers: conditions({ ifMatch, ifNoneMatch }) }),
    delete: (id: string, { ifMatch, ...options }: Pick<Precondition, 'ifMatch'> & ReadOptions = {}) =>
      ask<'deleteProduct'>(this, 'DELETE', `/v1/products/${segment(id)}`, { ...options, headers: conditions({ ifMatch }) }),
    changeStock: (id: string) => this.intents<'changeStock'>(`/v1/products/${segment(id)}/stock-changes`),
  };

  readonly tickets = {
    ...this.intents<'openTicket'>('/v1/tickets'),
    list: this.lists<'listTickets'>('/v1/tickets'),
    get: this.reads<'getTicket'>('/v1/tickets'),
    change: (id: string, etag: string) => this.changes<'changeTicket'>(`/v1/tickets/${segment(id)}`, etag),
  };

  readonly operations = {
    list: this.lists<'listOperations'>('/v1/operations'),
    get: this.reads<'getOperation'>('/v1/operations'),
    /** Sees to it that no request with this key is ever executed, unless one was already. */
    seal: (idempotencyKey: string, options?: ReadOptions) =>
      ask<'sealKey'>(this, 'POST', '/v1/operations/seal', { ...options, body: { idempotencyKey } }),
    resume: (id: string, options?: ReadOptions) => ask<'resumeOperation'>(this, 'POST', `/v1/operations/${segment(id)}/resume`, options),
    /** Settles what is flagged for review. */
    decide: (id: string) => this.intents<'decideOperation'>(`/v1/operations/${segment(id)}/decision`),
  };

  readonly events = {
    list: this.lists<'listEvents'>('/v1/events'),
    get: this.reads<'getEvent'>('/v1/events'),
    /** Those behind an event, the oldest first, as far as there are any by now. Go on later with the id of the last one that came. */
    after: (id: string, query: Pick<QueryOf<'listEvents'>, 'type' | 'resource' | 'limit'> = {}, options?: ReadOptions) =>
      this.readEventsAfter(id, query, options),
  };

  readonly webhookEndpoints = {
    ...this.intents<'createWebhookEndpoint'>('/v1/webhook-endpoints'),
    list: this.lists<'listWebhookEndpoints'>('/v1/webhook-endpoints'),
    get: this.reads<'getWebhookEndpoint'>('/v1/webhook-endpoints'),
    change: (id: string) => this.changes<'changeWebhookEndpoint'>(`/v1/webhook-endpoints/${segment(id)}`),
    delete: (id: string, options?: ReadOptions) =>
      ask<'deleteWebhookEndpoint'>(this, 'DELETE', `/v1/webhook-endpoints/${segment(id)}`, options),
    secret: (id: string, options?: ReadOptions) =>
      ask<'getWebhookSecret'>(this, 'GET', `/v1/webhook-endpoints/${segment(id)}/secret`, options),
    rotateSecret: (id: string) => this.intents<'rotateWebhookSecret'>(`/v1/webhook-endpoints/${segment(id)}/rotate-secret`),
    test: (id: string) => this.intents<'testWebhookEndpoint'>(`/v1/webhook-endpoints/${segment(id)}/test`),
    deliveries: (id: string, query?: QueryOf<'listWebhookDeliveries'>, options?: ReadOptions) =>
      readList<'listWebhookDeliveries'>(this, `/v1/webhook-endpoints/${segment(id)}/deliveries`, query, options),
    /** Sends a delivery again, whatever became of it. */
    redeliver: (deliveryId: string) => this.intents<'redeliverWebhook'>(`/v1/deliveries/${segment(deliveryId)}/redeliver`),
  };

  private async *readEventsAfter(id: string, query: QueryOf<'listEvents'>, options?: ReadOptions): AsyncGenerator<Event, void, undefined> {
    for (let after: string | undefined = id; after !== undefined;) {
      let last: string | undefined;
      for await (const event of readList<'listEvents'>(this, '/v1/events', { ...query, after }, options)) {
        yield event;
        last = event.id;
      }
      after = last;
    }
  }

  private intents<Name extends OperationName>(path: string) {
    return intentRoute<Name>(this, 'POST', path);
  }

  private changes<Name extends OperationName>(path: string, etag?: string) {
    return intentRoute<Name>(this, 'PATCH', path, conditions({ ifMatch: etag }));
  }

  private lists<Name extends ListName>(path: string) {
    return (query?: QueryOf<Name>, options?: ReadOptions) => readList<Name>(this, path, query, options);
  }

  private reads<Name extends OperationName>(collection: string) {
    return (id: string, options?: ReadOptions) => ask<Name>(this, 'GET', `${collection}/${segment(id)}`, options);
  }
}

const segment = encodeURIComponent;

function conditions({ ifMatch, ifNoneMatch }: Precondition): Record<string, string> {
  return { ...(ifMatch !== undefined && { 'if-match': ifMatch }), ...(ifNoneMatch && { 'if-none-match': ifNoneMatch }) };
}
