import type { Socket } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { Problem, renderProblem } from './problem.js';

/** What node:http gives for a request that never was one. */
interface ClientError extends Error {
  code?: string;
}

/**
 * Answers what can't be read as HTTP at all (a broken request line, headers without an end or larger than 16 KiB) as a
 * problem, before there is a request: 400, since the client must correct it, then the connection ends.
 */
export function refuseClient(error: ClientError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = uuidv7();
  const { status, headers, body } = renderProblem(new Problem('invalid-request', detailOf(error)), { instance: '/', requestId });
  const lines = Object.entries({ ...headers, 'x-request-id': requestId, 'content-length': Buffer.byteLength(body), connection: 'close' });
  socket.end(`HTTP/1.1 ${status} Bad Request\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
}

function detailOf({ code }: ClientError): string {
  if (code === 'HPE_HEADER_OVERFLOW') return 'The headers are larger than 16 KiB.';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'The request did not come to its end in time.';
  return 'This is not an HTTP request.';
}
