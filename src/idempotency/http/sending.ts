import { isUtf8 } from 'node:buffer';
import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { StoredResponse } from '../reply.js';
import { within } from '../requests/within.js';
import { isStream, nodeResponse, setHeader, type HttpResponse } from './platform.js';
import { ResponseDraft, SENT_BY_ITSELF } from './response-draft.js';

const OF_NODE = ['write', 'end', 'writeHead', 'flushHeaders'];
/** Express's that begin to send later; its others come to Node's at once. */
const OF_EXPRESS = ['sendFile', 'download', 'render'];
const OF_FASTIFY = ['send', 'hijack'];

/**
 * While `work` runs, nothing is sent by anybody: whoever tries has the work fail at once, with an error that names the place. What a
 * handler sends by itself would leave before COMMIT, and nobody would know it when the request comes again.
 */
export async function withoutSending<T>(response: HttpResponse, work: () => Promise<T>): Promise<T> {
  let fail: () => void = () => undefined;
  const tried = new Promise<never>((_, reject) => (fail = () => reject(new Error(SENT_BY_ITSELF))));
  return instead(response, fail, () => Promise.race([work(), tried]));
}

/** How long something may take to send what is captured, in milliseconds. */
const PATIENCE = 5_000;

/**
 * What is sent because of `begin`, at once or in a while: nothing leaves, and the response is as it was before.
 * @throws Error when nothing is sent within five seconds, or what can't be stored as a text; and what `begin` throws
 */
export async function captured(response: HttpResponse, declared: readonly string[], begin: () => void): Promise<StoredResponse> {
  const draft = new ResponseDraft(response, declared);
  const sent = new Sent(response);
  try {
    await instead(response, sent.take, () => {
      begin();
      return within(PATIENCE, sent.whole, undefined);
    });
    const status = response.statusCode;
    return { status, headers: draft.take().headers, body: sent.text };
  } catch (error) {
    draft.discard();
    throw error;
  }
}

type Take = (method: string, given: unknown[]) => void;

/** Has all that would be sent while `work` runs told to `take`, in the place of sending it. */
async function instead<T>(response: HttpResponse, take: Take, work: () => Promise<T>): Promise<T> {
  const node = nodeResponse(response);
  const pulled = (stream: Readable): void => {
    stream.unpipe(node);
    stream.destroy();
    take('pipe', [stream]);
  };
  const restore = [intercept(node, response.raw ? OF_NODE : [...OF_NODE, ...OF_EXPRESS], take)];
  if (response.raw) restore.push(intercept(response, OF_FASTIFY, take));
  node.on('pipe', pulled);
  try {
    return await work();
  } finally {
    node.removeListener('pipe', pulled);
    for (const give of restore) give();
  }
}

/** Has these methods do nothing but tell; gives back what undoes that. */
function intercept(target: object, names: readonly string[], take: Take): () => void {
  const own = names.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const);
  for (const name of names) {
    const value = (...given: unknown[]): unknown => {
      take(name, given);
      return target;
    };
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return () => {
    for (const [name, before] of own) {
      if (before) Object.defineProperty(target, name, before);
      else Reflect.deleteProperty(target, name);
    }
  };
}

/** What Node's `writeHead` takes: an object, or a list of names and values in turns. */
type HeadersOfHead = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** In a list a name may come again, and then has several values (on Node 20 the last one alone where others were set before). */
function byName(headers: HeadersOfHead): OutgoingHttpHeaders {
  if (!Array.isArray(headers)) return headers;
  const named: Record<string, string[]> = {};
  for (let at = 0; at + 1 < headers.length; at += 2)
    (named[String(headers[at]).toLowerCase()] ??= []).push(...[headers[at + 1]].flat().map(String));
  return named;
}

const ENDING = new Set(['end', 'send']);

/** An answer on its way, put together from what is sent of it. */
class Sent {
  /** Resolves when nothing follows. */
  readonly whole: Promise<void>;
  private readonly chunks: Uint8Array[] = [];
  private isEnded = false;
  private unfit: string | undefined;
  private end: () => void = () => undefined;

  constructor(private readonly response: HttpResponse) {
    this.whole = new Promise((resolve) => (this.end = resolve));
  }

  readonly take: Take = (method, [first, second, third]) => {
    if (method === 'writeHead') this.head(first as number, (typeof second === 'string' ? third : second) as HeadersOfHead | undefined);
    else if (method === 'write' || ENDING.has(method)) this.content(first, second);
    else if (method !== 'flushHeaders') this.unfit = method;
    this.isEnded ||= ENDING.has(method);
    if (this.isEnded || this.unfit) this.end();
  };

  /** @throws Error when it has not ended, or is no text */
  get text(): string {
    const bytes = Buffer.concat(this.chunks);
    if (!this.unfit && !isUtf8(bytes)) this.unfit = 'bytes that are no text';
    if (this.unfit) throw new Error(`An exception filter answers by ${this.unfit}, which can't be stored and sent again`);
    if (!this.isEnded) throw new Error('An exception filter has sent nothing within five seconds');
    return bytes.toString();
  }

  private head(status: number, headers: HeadersOfHead = {}): void {
    this.response.statusCode = status;
    for (const [name, value] of Object.entries(byName(headers))) if (value !== undefined) setHeader(this.response, name, value);
  }

  private content(value: unknown, encoding: unknown): void {
    if (value === undefined || value === null || typeof value === 'function') return;
    const { response } = this;
    if (typeof value === 'string') {
      this.typed('text/plain; charset=utf-8');
      this.chunks.push(Buffer.from(value, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined));
    } else if (value instanceof Uint8Array) this.chunks.push(value);
    else if (!response.raw || value instanceof Error || isStream(value)) this.unfit = 'a stream or an error';
    else {
      this.typed('application/json; charset=utf-8');
      this.chunks.push(Buffer.from(response.serialize(value)));
    }
  }

  /** As Fastify does; on Express it has been done. */
  private typed(type: string): void {
    if (this.response.raw && this.response.getHeaders()['content-type'] === undefined) setHeader(this.response, 'content-type', type);
  }
}
