import type { Transaction } from './transaction.js';

/** Headers of an answer that are stored and replayed with it. */
export interface ReplyHeaders {
  location?: string;
  etag?: string;
  link?: string;
  'content-type'?: string;
}

/** A decided answer. */
export interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  readonly body: unknown;
  readonly headers: ReplyHeaders;
  /** Path of what the operation made or changed. */
  readonly resource: string | undefined;
}

/** Options of `reply`. */
export interface ReplyOptions extends ReplyHeaders {
  /** Path of what the operation made or changed; `location` where it isn't given. */
  resource?: string;
}

/**
 * Ends a transaction with an answer, which is stored with the work. Unlike a thrown refusal, a 4xx that is returned
 * this way keeps what the handler wrote: a declined payment is a fact.
 */
export function reply(status: number, body: unknown, options: ReplyOptions = {}): Reply {
  const { resource = options.location, ...headers } = options;
  return { kind: 'reply', status, body, headers, resource };
}

export function isReply(result: unknown): result is Reply {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'reply';
}

export type { Transaction };
