import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import type { Random } from './random.js';

/** What happens to messages, as probabilities; the first two leave them untaken. */
export interface ReceiverFaults {
  /** It answers 503. */
  refuse: number;
  /** It cuts the connection. */
  cutBefore: number;
  /** It takes the message, and cuts the connection instead of answering. */
  cutAfter: number;
}

export const CALM_RECEIVER: ReceiverFaults = { refuse: 0, cutBefore: 0, cutAfter: 0 };

/** A message as it came in. */
export interface Receipt {
  /** Path that it came to. */
  path: string;
  /** `webhook-id`. */
  id: string;
  body: string;
  /** Whether its signature is that of the endpoint. */
  signed: boolean;
  /** Whether the receiver has it from now on. */
  taken: boolean;
}

/** The receivers of a storm's webhooks, one for each path, at one address of this process. */
export class Receiver {
  /** In the order in which they came. */
  readonly receipts: Receipt[] = [];
  private readonly secrets = new Map<string, string>();
  /** Messages that it did not take well, each of which comes again. */
  private failed = 0;
  private leastFailed: number | undefined;

  private constructor(
    private readonly server: Server,
    private readonly random: Random,
    private readonly faults: ReceiverFaults,
  ) {}

  static async start(random: Random, faults: ReceiverFaults): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server, random, faults);
    server.on('request', (request, response) => void receiver.answer(request, response).catch(() => request.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What comes to the path is signed with this. */
  expect(path: string, secret: string): void {
    this.secrets.set(path, secret);
  }

  /** From now on it takes whatever comes, once it has failed so many: where the service was slow, most messages are still to come. */
  calm(leastFailed: number): void {
    this.leastFailed = leastFailed;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '', headers } = request;
    const body = await text(request);
    const { refuse, cutBefore, cutAfter } = this.faults;
    const fate = this.fate();
    if (fate < refuse + cutBefore + cutAfter) this.failed += 1;
    const taken = fate >= refuse + cutBefore;
    this.receipts.push({ path, id: String(headers['webhook-id']), body, signed: this.isSigned(path, headers, body), taken });
    if (fate < refuse) response.writeHead(503).end();
    else if (fate < refuse + cutBefore + cutAfter) request.destroy();
    else response.writeHead(204).end();
  }

  /** From 0 to 1; what happens to a message goes by it. */
  private fate(): number {
    if (this.leastFailed === undefined) return this.random.next();
    return this.failed < this.leastFailed ? 0 : 1;
  }

  private isSigned(path: string, headers: IncomingHttpHeaders, body: string): boolean {
    try {
      new Webhook(this.secrets.get(path) ?? '').verify(body, headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  }
}
