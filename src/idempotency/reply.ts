import { publicOperationId } from './operation-id.js';

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

/** A response as it is stored and sent: a replay is the UTF-8 bytes of this text. */
export interface StoredResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Largest stored response; the table's CHECK says the same. */
const MAX_BYTES = 2 * 1024 * 1024;

/** A reply as text. @throws Error when it is larger than can be stored */
export function toResponse({ status, body, headers }: Reply, operationUuid: string): StoredResponse {
  const text = body === undefined ? '' : JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) throw new Error(`a response of ${bytes} bytes is too large to store`);
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers, 'operation-id': publicOperationId(operationUuid) },
    body: text,
  };
}
