import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Held } from './database-gate.js';

/** Where to hold a charge or refund: before the provider gets it, or after it took effect, with its answer on the way. */
export type ProviderHold = 'before' | 'after';

interface Waiting {
  when: ProviderHold;
  reached(held: Held): void;
}

/** Stands between one replica and the provider, and holds the first charge of an amount, or the first refund. */
export class ProviderGate {
  /** What came, in order. */
  readonly requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  private readonly waiting = new Map<string, Waiting>();

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {}

  static async start(providerUrl: string): Promise<ProviderGate> {
    const server = createServer();
    const gate = new ProviderGate(server, providerUrl);
    server.on('request', (incoming, answer) => void gate.serve(incoming, answer).catch(() => answer.destroy()));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves as soon as the charge or refund of this amount is held. Its answer, when it is held, is lost on release too. */
  hold(amount: number, when: ProviderHold, what: 'charges' | 'refunds' = 'charges'): Promise<Held> {
    return new Promise((reached) => this.waiting.set(`/${what} ${amount}`, { when, reached }));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private async serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming);
    this.requests.push({ url: incoming.url ?? '', headers: incoming.headers });
    const subject = `${incoming.url} ${amountIn(body)}`;
    const waiting = this.waiting.get(subject);
    this.waiting.delete(subject);
    if (waiting?.when === 'before' && !(await held(waiting, answer))) return;
    const outcome = await forward(this.target, incoming, body);
    if (waiting?.when === 'after') {
      await held(waiting, answer);
      answer.destroy();
      return;
    }
    answer.writeHead(outcome.status, { 'content-type': 'application/json' }).end(outcome.body);
  }
}

/** Waits; true when the request is to go on and its sender is still there. */
async function held(waiting: Waiting, answer: ServerResponse): Promise<boolean> {
  await new Promise<void>((resume) => {
    waiting.reached({
      release: resume,
      cut: () => {
        answer.destroy();
        resume();
      },
    });
  });
  return !answer.destroyed;
}

function forward(target: string, incoming: IncomingMessage, body: Buffer): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { connection: _, host: __, ...headers } = incoming.headers;
    const outgoing = request(`${target}${incoming.url}`, { method: incoming.method, headers }, (response) => {
      bytesOf(response).then((bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function amountIn(body: Buffer): number {
  return body.length === 0 ? Number.NaN : Number((JSON.parse(body.toString()) as { amount?: number }).amount);
}
