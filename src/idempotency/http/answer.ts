import { isUtf8 } from 'node:buffer';
import { StreamableFile } from '@nestjs/common';
import { MAX_BYTES, Verbatim, reply, type Reply } from '../reply.js';
import { isAnyEnd } from '../step.js';
import { isStream, typeOfTexts, type HttpResponse } from './platform.js';
import type { Drafted } from './response-draft.js';

/** `@Redirect()` of a route. */
export interface Redirection {
  url: string;
  statusCode?: number;
}

/** What Nest's adapters would look at beside the body. */
export interface Surroundings {
  response: HttpResponse;
  drafted: Drafted;
  /** Status of the route. */
  status: number;
  redirection: Redirection | undefined;
}

/**
 * What a handler came to, with what is stored of it: the status and the headers that were set beside it, a text or bytes as they are, a
 * redirection as such. An end that is no `reply(…)` stays what it is, but for its pending answer.
 * @throws Error for a body that can't be stored
 */
export async function answerOf(decided: unknown, around: Surroundings): Promise<unknown> {
  const { drafted, redirection } = around;
  if (!isAnyEnd(decided)) return redirection ? redirect(decided, redirection, drafted) : plain(decided, around);
  if (decided.kind === 'reply') return withHeaders(decided, drafted);
  return decided.kind === 'next' && decided.pending ? { ...decided, pending: await withHeaders(decided.pending, drafted) } : decided;
}

/** What the handler says of an answer goes before what was set beside it. */
async function withHeaders(own: Reply, { headers }: Drafted): Promise<Reply> {
  const { body, headers: ofBody } = await bodyOf(own.body);
  return { ...own, body, headers: { ...ofBody, ...headers, ...own.headers }, resource: own.resource ?? headers['location'] };
}

async function plain(value: unknown, { response, drafted, status }: Surroundings): Promise<Reply> {
  const { body, headers } = typeof value === 'string' ? textOf(value, typeOfTexts(response)) : await bodyOf(value);
  // Nest sends nothing for null.
  return reply(drafted.status ?? status, body ?? undefined, { ...headers, ...drafted.headers });
}

/** A handler may return another address, or another status. */
function redirect(value: unknown, { url, statusCode = 302 }: Redirection, { headers }: Drafted): Reply {
  const other = (typeof value === 'object' && value !== null ? value : {}) as Partial<Redirection>;
  const location = (other.url || url).replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
  return reply(other.statusCode ?? statusCode, undefined, { ...headers, location });
}

interface Body {
  body: unknown;
  headers: Record<string, string>;
}

async function bodyOf(value: unknown): Promise<Body> {
  if (value instanceof Uint8Array) return bytesOf(value, { 'content-type': 'application/octet-stream' });
  if (value instanceof StreamableFile) {
    const { type, disposition } = value.getHeaders() as { type?: string; disposition?: string };
    return bytesOf(await read(value), {
      'content-type': type ?? 'application/octet-stream',
      ...(disposition === undefined ? {} : { 'content-disposition': disposition }),
    });
  }
  if (isStream(value)) throw new Error(`an idempotent handler returned a stream: ${INSTEAD}`);
  return { body: value, headers: {} };
}

async function read(file: StreamableFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of file.getStream()) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MAX_BYTES) throw new Error(`a file of more than ${MAX_BYTES} bytes is too large to store: ${INSTEAD}`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function bytesOf(bytes: Uint8Array, headers: Record<string, string>): Body {
  if (!isUtf8(bytes) || bytes.includes(0)) throw new Error(`an idempotent handler returned bytes that are no text: ${INSTEAD}`);
  return { body: new Verbatim(Buffer.from(bytes).toString()), headers };
}

function textOf(text: string, type: string): Body {
  return { body: new Verbatim(text), headers: { 'content-type': type } };
}

const INSTEAD = 'its answer is stored as text, to be sent again. Store the file, and answer with its address';
