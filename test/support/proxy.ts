import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What becomes of a COMMIT: `cut-before` never reaches PostgreSQL; `cut-after` does, but its answer never reaches the
 * client; `cut-late` likewise, and it reaches PostgreSQL only a while after the client has lost its connection. With
 * `withhold` and `swallow` the client waits for the answer for ever: the COMMIT doesn't reach PostgreSQL, or it does.
 */
export type Fate = 'pass' | 'cut-before' | 'cut-after' | 'cut-late' | 'withhold' | 'swallow';

const LATE_MS = 400;

/** Stands between the API and PostgreSQL and cuts connections at the one moment that matters. */
export class CommitProxy {
  /** Decides about the COMMIT of each transaction that ran a statement named `marker`, or the Sync in its place; all others pass. */
  fate: () => Fate = () => 'pass';
  /** The COMMITs that met another fate than `pass`. */
  met = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    private readonly marker: string,
    private readonly stepwise: boolean,
  ) {}

  /** `stepwise`: the marked transactions wait for each statement's answer, so that no Sync but the COMMIT's own ends them. */
  static async start(databaseUrl: string, marker = 'orders-insert', { stepwise = false } = {}): Promise<CommitProxy> {
    const server = createServer();
    const proxy = new CommitProxy(server, new URL(databaseUrl), marker, stepwise);
    server.on('connection', (client) => proxy.serve(client));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  /** The database's URL by way of the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return url.toString();
  }

  /** The next `count` COMMITs meet this fate, those behind them pass. */
  next(fate: Fate, count = 1): void {
    let left = count;
    this.fate = () => ((left -= 1) >= 0 ? fate : 'pass');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private serve(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.setNoDelay(true).on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    }
    client.on('close', () => server.end());
    server.on('close', () => client.end());
    server.on('data', (answer) => client.writable && client.write(answer));
    const messages = new MessageReader();
    let marked = false;
    let fate: Fate = 'pass';
    client.on('data', (chunk) => {
      for (const message of messages.read(chunk)) {
        marked ||= message.includes(this.marker);
        if (isCommit(message) || (marked && !this.stepwise && endsFlight(message))) {
          fate = marked ? this.fate() : 'pass';
          if (fate !== 'pass') this.met += 1;
          marked = false;
        }
        if (fate === 'withhold') continue;
        if (fate === 'pass') server.write(message);
        else if (fate === 'cut-before') return cut(client, server);
        else if (fate === 'cut-late') return void cutLate(client, server, messages.from(message));
        else {
          server.removeAllListeners('data').resume();
          server.write(message);
          if (fate === 'cut-after' && endsFlight(message)) return cut(client, server);
        }
      }
    });
  }
}

/** Closes both ends; PostgreSQL still works off what it was sent. */
function cut(client: Socket, server: Socket): void {
  client.destroy();
  server.end();
}

async function cutLate(client: Socket, server: Socket, rest: Buffer): Promise<void> {
  client.removeAllListeners('close').destroy();
  await sleep(LATE_MS);
  server.end(rest);
}

/** Query with this text, or Bind of the prepared statement that has this name (PostgreSQL manual, section 54.7). */
function isCommit(message: Buffer): boolean {
  return (message[0] === 0x51 || message[0] === 0x42) && message.includes('COMMIT');
}

/** Query or Sync: what PostgreSQL answers on its own. */
function endsFlight(message: Buffer): boolean {
  return message[0] === 0x51 || message[0] === 0x53;
}

/** Cuts the client's byte stream into messages: the first one has no type, the others have one byte of it, then their length. */
class MessageReader {
  private rest = Buffer.alloc(0);
  private started = false;

  *read(chunk: Buffer): Generator<Buffer> {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      const typeLength = this.started ? 1 : 0;
      if (this.rest.length < typeLength + 4) return;
      const length = typeLength + this.rest.readInt32BE(typeLength);
      if (this.rest.length < length) return;
      const message = this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
      this.started = true;
      yield message;
    }
  }

  /** A message and all that came with it. */
  from(message: Buffer): Buffer {
    return Buffer.concat([message, this.rest]);
  }
}
