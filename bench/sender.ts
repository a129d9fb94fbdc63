import { Agent, request } from 'node:http';
import type { Job } from './loader.js';
import type { Prepared } from './requests.js';

/** Is told of each answer: its status, and its time in milliseconds. */
export interface Counter {
  add(status: number, milliseconds: number): void;
}

/** Sends single requests whenever it is told to, over at most so many connections, and counts their answers. */
export class Sender {
  private readonly agent: Agent;
  private readonly pending: Promise<void>[] = [];

  constructor(
    private readonly job: Pick<Job, 'url' | 'path' | 'apiKey'>,
    connections: number,
    private readonly tally: Counter,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** The time counts from this call, a wait for a connection included. */
  send(prepared: Prepared): void {
    const exchange = this.exchange(prepared);
    // Its failure is told by `end`.
    exchange.catch(() => undefined);
    this.pending.push(exchange);
  }

  /** @throws Error when a request had no answer */
  async end(): Promise<void> {
    try {
      await Promise.all(this.pending);
    } finally {
      this.agent.destroy();
    }
  }

  private exchange({ key, body }: Prepared): Promise<void> {
    const { url, path, apiKey } = this.job;
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
    };
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const call = request(`${url}${path}`, { method: 'POST', agent: this.agent, headers }, (response) => {
        response.once('error', reject).once('end', () => {
          this.tally.add(response.statusCode ?? 0, performance.now() - began);
          resolve();
        });
        response.resume();
      });
      call.once('error', reject).end(body);
    });
  }
}
