import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Something that a test holds on its way. Exactly one of the two ends it. */
export interface Held {
  /** Lets it go on as if nothing had been. */
  release(): void;
  /** Closes the connection that it is on. */
  cut(): void;
}

/** Which bytes to hold: those from the API before PostgreSQL gets them, or PostgreSQL's answer to them. */
export interface DatabaseHold {
  /** Both stand in the same flight of a connection: the name of a prepared statement, and a value that no other request has. */
  statement: string;
  value: string;
  what: 'flight' | 'answer-to-commit';
}

interface Waiting extends DatabaseHold {
  reached(held: Held): void;
}

/** ReadyForQuery outside of any transaction (PostgreSQL manual, section 54.7): what comes after it was committed or rolled back. */
const READY_AND_IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** A connection through the gate, with the value of the last hold that was seen on it. */
interface Way {
  client: Socket;
  server: Socket;
  toServer: Buffer[] | undefined;
  toClient: Buffer[] | undefined;
}

/**
 * Stands between one replica and PostgreSQL. The replica corks its sockets, so a flight (BEGIN and the claim, or the last
 * writes and COMMIT) comes as one chunk, and that is what is looked at; a flight that came in two would never be reached
 * by its hold, and the test would say so.
 */
export class DatabaseGate {
  private readonly ways = new Set<Way>();
  private readonly waiting = new Set<Waiting>();
  private readonly seen = new Map<string, Way>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  static async start(databaseUrl: string): Promise<DatabaseGate> {
    const server = createServer();
    const gate = new DatabaseGate(server, new URL(databaseUrl));
    server.on('connection', (client) => gate.serve(client));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return gate;
  }

  /** The database's URL by way of the gate. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return url.toString();
  }

  /** Resolves as soon as the first flight of this kind is held. */
  hold(hold: DatabaseHold): Promise<Held> {
    return new Promise((reached) => this.waiting.add({ ...hold, reached }));
  }

  /** Remembers the connections on which the value comes by, for `cut`. */
  watch(value: string): void {
    this.watched.add(value);
  }

  /** Closes the connection on which the watched value was seen last. */
  cut(value: string): void {
    const way = this.seen.get(value);
    if (way) close(way);
  }

  async close(): Promise<void> {
    for (const way of this.ways) close(way);
    await new Promise((closed) => this.server.close(closed));
  }

  private readonly watched = new Set<string>();

  private serve(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    const way: Way = { client, server, toServer: undefined, toClient: undefined };
    this.ways.add(way);
    for (const socket of [client, server]) {
      socket.setNoDelay(true).on('error', () => undefined);
      socket.on('close', () => {
        this.ways.delete(way);
        close(way);
      });
    }
    client.on('data', (chunk) => this.fromClient(way, chunk));
    server.on('data', (chunk) => (way.toClient ? way.toClient.push(chunk) : client.write(chunk)));
  }

  private fromClient(way: Way, chunk: Buffer): void {
    for (const value of this.watched) if (chunk.includes(value)) this.seen.set(value, way);
    const waiting = [...this.waiting].find(({ statement, value }) => chunk.includes(statement) && chunk.includes(value));
    if (waiting) this.waiting.delete(waiting);
    if (waiting?.what === 'flight') way.toServer = [];
    if (waiting?.what === 'answer-to-commit') {
      way.toClient = [];
      way.server.on('data', function untilCommitted(this: Socket, answer) {
        if (!answer.includes(READY_AND_IDLE)) return;
        this.off('data', untilCommitted);
        waiting.reached(heldOn(way));
      });
    }
    if (way.toServer) way.toServer.push(chunk);
    else way.server.write(chunk);
    if (waiting?.what === 'flight') waiting.reached(heldOn(way));
  }
}

function heldOn(way: Way): Held {
  return {
    release: () => {
      const { toServer = [], toClient = [] } = way;
      way.toServer = undefined;
      way.toClient = undefined;
      for (const chunk of toServer) way.server.write(chunk);
      for (const chunk of toClient) way.client.write(chunk);
    },
    cut: () => close(way),
  };
}

/** What PostgreSQL has been sent, it still works off. */
function close({ client, server }: Way): void {
  client.destroy();
  server.end();
}
