import { validateHeaderName, validateHeaderValue } from 'node:http';
import { publicOperationId } from './operation-id.js';

/** Headers of an answer that are stored and replayed with it. */
export interface ReplyHeaders {
  location?: string;
  etag?: string;
  link?: string;
  'cache-control'?: string;
  'content-disposition'?: string;
  'content-language'?: string;
  /** Of a body that is a text: where it isn't JSON's, the text is sent as it is. */
  'content-type'?: string;
}

/** A decided answer. */
export interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | undefined>>;
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
export const MAX_BYTES = 2 * 1024 * 1024;

/** A body that is sent as it is, whatever its type. */
export class Verbatim {
  constructor(readonly text: string) {}
}

const JSON_TYPE = /^application\/([\w!#$&.^-]+\+)?json\s*(;|$)/i;

/** A reply as text. @throws Error when it is larger than can be stored, and for a header that can't be sent */
export function toResponse({ status, body, headers: own }: Reply, operationUuid: string): StoredResponse {
  const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' };
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) continue;
    // Now, and not when the answer is committed.
    validateHeaderName(name);
    validateHeaderValue(name, value);
    headers[name] = value;
  }
  const text = textOf(body, headers['content-type']);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) throw new Error(`a response of ${bytes} bytes is too large to store`);
  headers['operation-id'] = publicOperationId(operationUuid);
  return { status, headers, body: text };
}

function textOf(body: unknown, type = ''): string {
  if (body === undefined) return '';
  if (body instanceof Verbatim) return body.text;
  return typeof body === 'string' && !JSON_TYPE.test(type) ? body : JSON.stringify(body);
}
