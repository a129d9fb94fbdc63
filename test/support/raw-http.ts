import { connect, type Socket } from 'node:net';

/** An answer that was read from a bare socket. */
export interface RawResponse {
  status: number;
  headers: Headers;
  text: string;
}

/** What `request` writes: headers in the given order and number, bytes as they are (latin-1). */
export interface RawRequest {
  method?: string;
  path?: string;
  headers?: [name: string, value: string][];
  body?: Buffer | string;
}

/** Opens a connection to the API. */
export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
}

/** Sends one HTTP request that no well-behaved client would send, and reads the answer until the server closes. */
export async function sendRaw(
  url: string,
  { method = 'POST', path = '/v1/orders', headers = [], body = '' }: RawRequest,
): Promise<RawResponse> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = [...headers, ['host', 'test'], ['connection', 'close'], ['content-length', String(bytes.length)]] as const;
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return parse(await exchange(url, Buffer.concat([Buffer.from(head, 'latin1'), bytes])));
}

/** Writes the bytes and returns all that comes back until the connection ends. */
export function exchange(url: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = open(url);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    // A server that refuses early may reset the connection while we are still writing: what it said counts.
    socket.on('error', (error) => (chunks.length > 0 ? undefined : reject(error)));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.write(bytes);
  });
}

/** An answer as it stood on the wire. */
export function parse(answer: string): RawResponse {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
  const body = rest.join('\r\n\r\n');
  return { status: Number(statusLine.split(' ')[1]), headers, text: headers.get('transfer-encoding') === 'chunked' ? dechunk(body) : body };
}

function dechunk(body: string): string {
  const size = Number.parseInt(body, 16);
  const start = body.indexOf('\r\n') + 2;
  return size > 0 ? body.slice(start, start + size) + dechunk(body.slice(start + size + 2)) : '';
}
