import { request, type Agent, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** An answer as a proxy passes it on. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sends a request on to a service, as it came, and reads the answer; without an agent on a connection of its own. */
export function forward(service: string, { url, method, headers }: IncomingMessage, body: Buffer, agent: Agent | false): Promise<Answer> {
  // Those of one connection mean nothing on the next one.
  const { connection: _, ...passed } = headers;
  return new Promise((resolve, reject) => {
    const outgoing = request(`${service}${url}`, { method, headers: passed, agent }, (response) => {
      const { 'transfer-encoding': _encoding, connection: _connection, 'keep-alive': _keepAlive, ...kept } = response.headers;
      bytesOf(response).then((bytes) => resolve({ status: response.statusCode ?? 0, headers: kept, body: bytes }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A body, read to its end. */
export async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
