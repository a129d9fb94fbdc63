import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/** The ways in which a request goes without an answer, or waits for one, none of which may delay a shutdown. */
export class Connections {
  private readonly hung = new Set<Socket>();
  private readonly closing = new AbortController();

  constructor() {
    // Each waiting request listens once, and hundreds may wait.
    setMaxListeners(0, this.closing.signal);
  }

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Closes the connection without a byte of an answer. */
  cut(reply: FastifyReply): FastifyReply {
    reply.hijack();
    reply.raw.destroy();
    return reply;
  }

  /** Leaves the connection open until the client or the sandbox goes. */
  hang(reply: FastifyReply): FastifyReply {
    if (this.closed) return this.cut(reply);
    reply.hijack();
    const { socket } = reply.raw;
    if (!socket) return reply;
    this.hung.add(socket);
    socket.once('close', () => this.hung.delete(socket));
    return reply;
  }

  /** Waits, or until the sandbox closes: then the answer goes out early. */
  async pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }

  /** Ends every wait. */
  close(): void {
    this.closing.abort();
    for (const socket of this.hung) socket.destroy();
  }
}
