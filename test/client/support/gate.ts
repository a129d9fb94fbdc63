import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bytesOf, forward } from '../../../storm/callers/forward.js';

/** A request that went through. */
export interface Passed {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/** A request that is held, before the service has it or with its answer on the way back. */
export interface HeldRequest {
  /** Lets it go on. */
  release(): void;
  /** Ends its connection; what is held before the service never gets there. */
  cut(): void;
}

type Moment = 'before' | 'after';

/** What a page is made of: by its path, null where there is no such file. */
export type Files = (path: string) => { type: string; body: string | Buffer } | null;

/** Stands between a client and the service, keeps account of what changes something, and holds it where a test wants it. */
export class Gate {
  /** Every POST and PATCH that came. */
  readonly writes: Passed[] = [];
  private held: { moment: Moment; reached: (request: HeldRequest) => void } | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: string,
    private readonly files: Files,
  ) {}

  /** @param files of a page beside the service, on the same origin */
  static async start(target: string, files: Files = () => null): Promise<Gate> {
    const server = createServer();
    const gate = new Gate(server, target, files);
    server.on('request', (incoming, answer) => void gate.serve(incoming, answer).catch(() => answer.destroy()));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves as soon as the next write is held. */
  holdNext(moment: Moment): Promise<HeldRequest> {
    return new Promise((reached) => (this.held = { moment, reached }));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private async serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming;
    const file = method === 'GET' ? this.files(path) : null;
    if (file) return void answer.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-store' }).end(file.body);
    const body = await bytesOf(incoming);
    const writes = method === 'POST' || method === 'PATCH';
    if (writes) this.writes.push({ method, path, headers });
    const held = writes ? this.held : undefined;
    if (held) this.held = undefined;
    if (held?.moment === 'before' && !(await this.hold(held, answer))) return;
    const passed = await forward(this.target, incoming, body, false);
    if (held?.moment === 'after' && !(await this.hold(held, answer))) return;
    answer.writeHead(passed.status, passed.headers).end(passed.body);
  }

  /** Waits; true where the request is to go on. */
  private hold({ reached }: { reached: (request: HeldRequest) => void }, answer: ServerResponse): Promise<boolean> {
    return new Promise((resolve) => {
      const cut = (): void => {
        answer.destroy();
        resolve(false);
      };
      reached({ release: () => resolve(true), cut });
    });
  }
}
