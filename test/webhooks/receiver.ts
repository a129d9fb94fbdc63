import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { publicId } from '../../src/kernel/ids.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A } from '../support/ledger.js';
import type { TestApp } from '../support/app.js';
import type { TestDatabase } from '../support/database.js';

/** One message as it came in. */
export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  /** `id@version` of the resource. */
  resource: string;
}

/** A receiver of webhooks, on a port of its own. */
export class Receiver {
  readonly received: Received[] = [];
  /** What it answers: a status, or null for silence. */
  answer: (message: Received) => number | null = () => 204;
  /** Headers of its answers. */
  headers: Record<string, string> = {};
  private readonly silent = new Set<ServerResponse>();

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => receiver.take({ headers: request.headers, body, resource: resourceOf(body) }, response));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks`;
  }

  /** What came in about one resource, in order. */
  of(resource: string): string[] {
    return this.received.filter((message) => message.resource.startsWith(`${resource}@`)).map((message) => message.resource);
  }

  /** Ends its silence: answers all that wait. */
  let(status: number): void {
    for (const response of this.silent) response.writeHead(status).end();
    this.silent.clear();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close').catch(() => undefined);
  }

  private take(message: Received, response: ServerResponse): void {
    this.received.push(message);
    const status = this.answer(message);
    if (status === null) this.silent.add(response);
    else response.writeHead(status, this.headers).end('thanks');
  }
}

function resourceOf(body: string): string {
  const { resource } = JSON.parse(body) as { resource: { id: string; version: number } };
  return `${resource.id}@${resource.version}`;
}

type Queries = Pick<TestDatabase, 'query'>;

/** Writes that a resource has a version, as its transaction would; `accountId`: whose. Returns the event's public id. */
export async function tell(
  database: Queries,
  resource: string,
  version: number,
  accountId = ACCOUNT_A,
  type = 'order.updated',
): Promise<string> {
  const id = uuidv7();
  await database.query(TELL, [accountId, id, type, resource, version]);
  return publicId('evt', id);
}

/** Of an account ($1): the event $2 of type $3, that the resource $4 has the version $5. */
export const TELL = `
  INSERT INTO events (account_id, id, transaction_id, type, created_at, resource_type, resource_id, resource_version, data)
  VALUES ($1, $2, pg_current_xact_id()::text::bigint, $3, now(), 'order', $4, $5, json_build_object('id', $4::text, 'version', $5::int))`;

/** Makes an endpoint; returns its public id. */
export async function endpointAt(
  { send }: Pick<TestApp, 'send'>,
  url: string,
  { types = ['*'], as }: { types?: string[]; as?: string } = {},
): Promise<string> {
  const made = await send('POST', '/v1/webhook-endpoints', { ...(as && { as }), body: { url, types } });
  if (made.status !== 201) throw new Error(made.text);
  return String(made.body['id']);
}

/** Has everything that waits for the end of a pause sent now. */
export async function hurry(database: Queries): Promise<void> {
  await database.query(`UPDATE webhook_deliveries SET next_attempt_at = now() WHERE status = 'pending' AND next_attempt_at > now()`);
}

/** Waits until nothing is pending, and no event is beyond a position. */
export async function untilAllSettled(database: Queries, patience = 20_000): Promise<void> {
  await eventually(
    'all to be delivered',
    async () => {
      await hurry(database);
      const [row] = await database.query<{ open: boolean }>(
        `SELECT EXISTS (SELECT FROM webhook_deliveries WHERE status = 'pending')
             OR EXISTS (SELECT FROM events v JOIN webhook_endpoints e USING (account_id)
                         WHERE e.status = 'enabled' AND (v.transaction_id, v.id) > (e.position_transaction, e.position_event)) AS open`,
      );
      return !row?.open;
    },
    patience,
  );
}
