import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { traceparent } from '../../kernel/tracing.js';

/** How an HTTP exchange ended. `not-sent`: no byte of the request has left. `lost`: some may have, and no answer came. */
export type Exchange =
  | { kind: 'answer'; status: number; headers: IncomingHttpHeaders; body: unknown }
  | { kind: 'not-sent'; reason: string }
  | { kind: 'lost'; reason: string };

export interface HttpCall {
  method: 'GET' | 'POST';
  url: string;
  headers?: OutgoingHttpHeaders;
  /** Sent as JSON; a string goes out as it is, under the content-type in `headers`. */
  body?: unknown;
  /** When to give up, in milliseconds from now. */
  timeoutMs: number;
}

/** More than this many calls at once wait for a socket, within their own time; as many as there are places for calls. */
const MAX_SOCKETS = 128;
const MAX_ANSWER_BYTES = 1024 * 1024;

const agents = {
  http: new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS }),
  https: new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS }),
};

/** One HTTP exchange with JSON, as part of the present trace. It never throws, and tells apart what fetch() doesn't: a call that was never sent from one whose answer is missing. */
export function exchange({ method, url, headers, body, timeoutMs }: HttpCall): Promise<Exchange> {
  const secure = url.startsWith('https:');
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const type = typeof body === 'string' ? {} : { 'content-type': 'application/json' };
  const trace = traceparent();
  return new Promise((resolve) => {
    let sent = false;
    const fail = (reason: string): void => resolve({ kind: sent ? 'lost' : 'not-sent', reason });
    const request = (secure ? httpsRequest : httpRequest)(url, {
      method,
      agent: secure ? agents.https : agents.http,
      headers: { ...headers, ...(trace !== null && { traceparent: trace }), ...(bytes && { ...type, 'content-length': bytes.length }) },
    });
    const timer = setTimeout(() => {
      fail('no answer in time');
      request.destroy();
    }, timeoutMs);
    request.on('socket', (socket) => {
      // From the connection on bytes may leave, with TLS from the end of the handshake; a kept-alive socket is past both.
      if (!socket.connecting) sent = true;
      else socket.once(secure ? 'secureConnect' : 'connect', () => (sent = true));
    });
    request.on('error', (error) => fail('code' in error ? String(error.code) : error.message));
    request.on('close', () => clearTimeout(timer));
    request.on('response', (response) => readAnswer(response, resolve, fail, (error) => request.destroy(error)));
    request.end(bytes);
  });
}

function readAnswer(
  response: IncomingMessage,
  answer: (exchange: Exchange) => void,
  fail: (reason: string) => void,
  abort: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) abort(new Error('the answer is too large'));
    else chunks.push(chunk);
  });
  response.on('error', (error) => fail(error.message));
  response.on('aborted', () => fail('the answer was cut off'));
  response.on('end', () => {
    const { statusCode: status = 0, headers } = response;
    answer({ kind: 'answer', status, headers, body: parse(Buffer.concat(chunks)) });
  });
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
