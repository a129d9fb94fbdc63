import type { IdempotentClient } from '../client.js';
import type { Intent, SendOptions } from '../intent.js';
import type { Outcome, Refused, Unknown } from '../outcome.js';
import type { QueueEntry } from '../queue-entry.js';
import type { BodyOf, ItemOf, ListName, OperationName, OutcomeOf, Page, QueryOf, ResultOf } from './types.js';

/** How an intent of a route is formed. */
export interface IntentOptions {
  /** Instead of a fresh UUIDv7. */
  key?: string;
  /** For example `Request-Deadline`, or `Prefer: handling=lenient`. */
  headers?: Record<string, string>;
}

/** How a request without a key waits. */
export type ReadOptions = Pick<SendOptions, 'signal' | 'deadlineMs'>;

/** An intent of a route, whose outcome is the route's. */
export interface IntentOf<Name extends OperationName> extends Omit<Intent<ResultOf<Name>>, 'send'> {
  send(options?: SendOptions): Promise<OutcomeOf<Name>>;
}

/** A body where the route needs one, and options. */
type Wanted<Name extends OperationName, Options> =
  undefined extends BodyOf<Name> ? [body?: BodyOf<Name>, options?: Options] : [body: BodyOf<Name>, options?: Options];

/** A route that takes a key. */
export interface IntentRoute<Name extends OperationName> {
  /** Makes the key and keeps the intent before anything leaves, as `IdempotentClient.prepare`. */
  prepare(...wanted: Wanted<Name, IntentOptions>): Promise<IntentOf<Name>>;
  /** Prepares it, sends it, and forgets it when its end is known, as `IdempotentClient.place`. */
  place(...wanted: Wanted<Name, IntentOptions & SendOptions>): Promise<OutcomeOf<Name>>;
  /** Has the queue send it behind what is in the lane, as `Queue.add`. */
  enqueue(...wanted: Wanted<Name, IntentOptions & { lane?: string }>): Promise<QueueEntry>;
}

/** @param headers that are part of each intent, such as `If-Match` */
export function intentRoute<Name extends OperationName>(
  client: IdempotentClient,
  method: 'POST' | 'PATCH',
  path: string,
  headers: Record<string, string> = {},
): IntentRoute<Name> {
  const formed = (body: BodyOf<Name> | undefined, { key, headers: more }: IntentOptions) => ({
    method,
    path,
    body,
    key,
    headers: { ...headers, ...more },
  });
  return {
    prepare: (...[body, options = {}]) => client.prepare<ResultOf<Name>>(formed(body, options)) as Promise<IntentOf<Name>>,
    place: (...[body, options = {}]) => {
      const { key, headers: more, ...sending } = options;
      return client.place<ResultOf<Name>>(formed(body, { key, headers: more }), sending) as Promise<OutcomeOf<Name>>;
    },
    enqueue: (...[body, options = {}]) => client.queue.add(formed(body, options), { lane: options.lane }),
  };
}

/** Sends what needs no key: it is idempotent by itself. */
export function ask<Name extends OperationName>(
  client: IdempotentClient,
  method: string,
  path: string,
  { body, headers, ...options }: ReadOptions & { body?: BodyOf<Name>; headers?: Record<string, string> } = {},
): Promise<OutcomeOf<Name>> {
  return client.request<ResultOf<Name>>({ method, path, body, headers }, options) as Promise<OutcomeOf<Name>>;
}

/** A list could not be read to its end. */
export class ListInterrupted extends Error {
  override readonly name = 'ListInterrupted';

  /** What to do next. */
  readonly advice: string;

  /** @param cursor of the page that is missing, from which the list can be read on; undefined where it is the first one */
  constructor(
    readonly outcome: Refused | Unknown,
    readonly cursor: string | undefined,
  ) {
    const { problem, advice } = outcome;
    super([problem?.detail ?? problem?.title, advice].filter(Boolean).join(' '));
    this.advice = advice;
  }
}

/**
 * Everything in a list, page by page as it is asked for; `limit` is the size of a page.
 * @throws ListInterrupted
 */
export async function* readList<Name extends ListName>(
  client: IdempotentClient,
  path: string,
  query: (QueryOf<Name> & { cursor?: string }) | undefined,
  options?: ReadOptions,
): AsyncGenerator<ItemOf<Name>, void, undefined> {
  let cursor = query?.cursor;
  do {
    const asked = { method: 'GET', path: withQuery(path, { ...query, cursor }) };
    const outcome: Outcome<Page<ItemOf<Name>>> = await client.request(asked, options);
    if (outcome.kind !== 'done') throw new ListInterrupted(outcome, cursor);
    yield* outcome.body.data;
    cursor = outcome.body.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** A path with what is known of its query. */
function withQuery(path: string, query: object): string {
  const known = Object.entries(query).filter(([, value]) => value !== undefined);
  return known.length === 0 ? path : `${path}?${new URLSearchParams(known.map(([name, value]) => [name, String(value)])).toString()}`;
}
