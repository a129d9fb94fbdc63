import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { ANSWER_HEADERS } from './answer-headers.js';
import { closeAfterDiscard } from './linger.js';
import { Problem, renderProblem } from './problem.js';

/** What node:http gives for a request that never was one. */
interface ClientError extends Error {
  code?: string;
}

/** What node:http writes to the connection at this moment; its own handler looks at it for the same reason. */
interface HttpSocket extends Socket {
  _httpMessage?: ServerResponse | null;
}

/**
 * Answers what can't be read as HTTP at all (a broken request line, headers without an end or larger than 16 KiB) as a
 * problem, before there is a request; then the connection ends. Where an answer is already on its way, it only ends.
 */
export function refuseClient(error: ClientError, socket: HttpSocket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const requestId = uuidv7();
  const { status, headers, body } = renderProblem(problemOf(error), { instance: '/', requestId });
  const lines = Object.entries({
    ...headers,
    ...ANSWER_HEADERS,
    'x-request-id': requestId,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  closeAfterDiscard(socket);
}

function problemOf({ code }: ClientError): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem('request-timeout', 'The request did not come to its end in time.');
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('invalid-request', 'The headers are larger than 16 KiB.');
  return new Problem('invalid-request', 'This is not an HTTP request.');
}
