import { Agent, request } from 'node:http';
import { API_KEY, freshOrder } from '../requests.js';
import type { Service } from '../service.js';

/** One request: when it was sent (milliseconds since 1970) and how long its answer took, in milliseconds. */
export interface Answered {
  sentAt: number;
  took: number;
}

/**
 * First requests at a steady pace: each is sent when its time has come, whether or not earlier ones have their answer, so that
 * a slow moment is seen by all whom it hits. Unlike a job of the loader it keeps every single time, and runs until it is stopped.
 */
export class PacedLoad {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly calls: Promise<Answered>[] = [];
  private readonly began = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly service: Service,
    private readonly perSecond: number,
  ) {
    this.timer = setInterval(() => this.sendDue(), 1_000 / perSecond);
  }

  /** Sends no more and waits for what is still out. @throws Error when a request was not answered with 201 */
  async stop(): Promise<Answered[]> {
    clearInterval(this.timer);
    try {
      return await Promise.all(this.calls);
    } finally {
      this.agent.destroy();
    }
  }

  /** Timers are late at times: whatever is due by now goes out. */
  private sendDue(): void {
    const due = Math.floor(((performance.now() - this.began) / 1_000) * this.perSecond);
    while (this.calls.length < due) {
      const call = this.send();
      // Its failure is told by `stop`.
      call.catch(() => undefined);
      this.calls.push(call);
    }
  }

  private send(): Promise<Answered> {
    const { key, body } = freshOrder('uuidv7');
    const headers = {
      authorization: `Bearer ${API_KEY}`,
      'content-type': 'application/json',
      'content-length': body.length,
      'idempotency-key': key,
    };
    const sentAt = Date.now();
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const call = request(`${this.service.url}/v1/orders`, { method: 'POST', agent: this.agent, headers }, (response) => {
        response.resume().once('end', () => {
          if (response.statusCode === 201) resolve({ sentAt, took: performance.now() - began });
          else reject(new Error(`a request was answered with ${response.statusCode}`));
        });
      });
      call.once('error', reject).end(body);
    });
  }
}
