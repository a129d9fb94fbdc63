import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.js';
import { bytesOf, forward, type Answer } from './forward.js';

/** What may become of a request and its answer on their way. */
export const FAULTS = [
  /** The connection is reset before the service has seen anything. */
  'reset',
  /** The service answers, and the connection ends before a byte of it has come. */
  'lost',
  /** The service answers, and the connection ends in the middle of it. */
  'cut-off',
  /** The service answers, and nobody hears of it: the connection stays open and silent. */
  'silent',
  /** The answer comes late. */
  'late',
  /** The service gets the request twice, at once; what it answers first comes back. */
  'twice',
  /** A proxy answers 502 without having asked the service. */
  'bad-gateway',
  /** A proxy answers 502, though the service has done what was asked. */
  'bad-gateway-after',
] as const;

export type Fault = (typeof FAULTS)[number];

/** Milliseconds. Around the time that a careful caller waits for one try. */
const LATE = { least: 200, most: 3_000 };

/** Stands between callers and the service, and does to a share of all requests one of the faults, each as often as the others. */
export class BadNetwork {
  requests = 0;
  readonly done = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(
    private readonly server: Server,
    private readonly replicas: readonly string[],
    private readonly random: Random,
    private readonly share: number,
  ) {}

  /** @param share of the requests to which something happens: 0 to 1 */
  static async start(replicas: readonly string[], random: Random, share: number): Promise<BadNetwork> {
    const server = createServer();
    const network = new BadNetwork(server, replicas, random, share);
    server.on('request', (incoming, answer) => void network.serve(incoming, answer).catch(() => answer.destroy()));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
    this.agent.destroy();
  }

  private async serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming);
    this.requests += 1;
    const fault = this.random.chance(this.share) ? this.random.of(FAULTS) : undefined;
    if (fault) this.done[fault] += 1;
    if (fault === 'reset') return void incoming.socket.resetAndDestroy();
    if (fault === 'bad-gateway') return badGateway(answer);
    const ask = (): Promise<Answer> => forward(this.random.of(this.replicas) ?? '', incoming, body, this.agent);
    const got = await (fault === 'twice' ? Promise.any([ask(), ask()]) : ask());
    if (fault === 'bad-gateway-after') return badGateway(answer);
    if (fault === 'lost') return void incoming.socket.destroy();
    if (fault === 'silent') return;
    if (fault === 'late') await sleep(this.random.whole(LATE.least, LATE.most));
    answer.writeHead(got.status, got.headers);
    if (fault === 'cut-off') answer.write(got.body.subarray(0, got.body.length / 2), () => incoming.socket.destroy());
    else answer.end(got.body);
  }
}

/** As proxies say it: a page for people, and nothing of ours. */
function badGateway(answer: ServerResponse): void {
  answer.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>');
}
