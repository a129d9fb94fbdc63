import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** What Fastify's and Express's requests have in common, as far as it is needed here. */
export interface HttpRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
  rawHeaders?: string[];
  raw?: IncomingMessage;
  routeOptions?: { url?: string };
  route?: { path?: string };
  body?: unknown;
  /** The bytes of a body that was parsed, where Nest was told to keep them. */
  rawBody?: unknown;
}

/** Fastify's reply, or Express's response, which is Node's own. */
export type HttpResponse = FastifyReply | ExpressResponse;

interface FastifyReply {
  raw: ServerResponse;
  statusCode: number;
  sent: boolean;
  status(code: number): unknown;
  header(name: string, value: OutgoingHttpHeader): unknown;
  getHeaders(): OutgoingHttpHeaders;
  removeHeader(name: string): unknown;
  send(body: Buffer | undefined): unknown;
  serialize(payload: unknown): string | Buffer;
}

type ExpressResponse = ServerResponse & { raw?: undefined };

/** Node's own response. */
export function nodeResponse(response: HttpResponse): ServerResponse {
  return response.raw ?? response;
}

/** Whether an answer, or a part of it, has left, or somebody else has taken it on. */
export function isSent(response: HttpResponse): boolean {
  return nodeResponse(response).headersSent || (response.raw !== undefined && response.sent);
}

/** Express's own header() would add a charset to the content type. */
export function setHeader(response: HttpResponse, name: string, value: OutgoingHttpHeader): void {
  if (response.raw) response.header(name, value);
  else response.setHeader(name, value);
}

/** Fastify knows headers of its own beside Node's. */
export function removeHeader(response: HttpResponse, name: string): void {
  nodeResponse(response).removeHeader(name);
  if (response.raw) response.removeHeader(name);
}

/** What Nest answers a text as. */
export function typeOfTexts(response: HttpResponse): string {
  return response.raw ? 'text/plain; charset=utf-8' : 'text/html; charset=utf-8';
}

/** Whether a body is read piece by piece: a stream of Node's or of the web, or a Response. */
export function isStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'pipe' in value || 'pipeTo' in value || ('arrayBuffer' in value && typeof value.arrayBuffer === 'function');
}

/** Sends the answer as it is. */
export function sendBytes(response: HttpResponse, status: number, body: string): void {
  // As bytes: to a text Fastify would add a charset that the stored headers don't have.
  const bytes = Buffer.from(body);
  if (response.raw) {
    response.status(status);
    // It would give one that has none a type, too, even where nothing follows.
    response.send(bytes.length === 0 && response.getHeaders()['content-type'] === undefined ? undefined : bytes);
    return;
  }
  response.statusCode = status;
  // Node wouldn't, where a handler's own was taken off.
  if (bytes.length > 0) response.setHeader('content-length', bytes.length);
  // Express's send() would add an ETag.
  response.end(bytes);
}
