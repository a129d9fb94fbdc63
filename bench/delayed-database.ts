import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Client } from 'pg';
import { median } from './statistics.js';

/** So many empty questions tell how long a way is. */
const QUESTIONS = 40;

/** The way to a database, as long as it is wanted: what a client says arrives that much later, in its order. */
export class DelayedDatabase {
  /** One way, in milliseconds; for what is said from now on. A timer fires up to a millisecond late, so the way is measured. */
  delayMs = 0;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  private constructor(private readonly port: number) {
    this.server = createServer((client) => this.serve(client));
  }

  /** The way to the server on this port of this machine. */
  static async to(port: number): Promise<DelayedDatabase> {
    const way = new DelayedDatabase(port);
    way.server.listen(0, '127.0.0.1');
    await once(way.server, 'listening');
    return way;
  }

  /** The same database by this way. */
  through(url: string): string {
    const by = new URL(url);
    by.port = String((this.server.address() as AddressInfo).port);
    return by.toString();
  }

  /** Median time of an empty question and its answer, in milliseconds. */
  async roundTrip(url: string): Promise<number> {
    const client = new Client(this.through(url));
    await client.connect();
    const times: number[] = [];
    for (let question = 0; question < QUESTIONS; question += 1) {
      const began = performance.now();
      await client.query('SELECT');
      times.push(performance.now() - began);
    }
    await client.end();
    return median(times);
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private serve(client: Socket): void {
    const server = dial(this.port, '127.0.0.1');
    for (const socket of [client, server]) {
      socket.setNoDelay(true).on('error', () => undefined);
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    }
    server.pipe(client);
    client.on('data', (chunk) => this.later(() => server.write(chunk)));
    client.on('close', () => this.later(() => server.destroy()));
    server.on('close', () => client.destroy());
  }

  private later(act: () => void): void {
    if (this.delayMs === 0) act();
    else setTimeout(act, this.delayMs);
  }
}
