import { API_KEY, freshOrder } from '../requests.js';
import { Sender } from '../sender.js';
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
  private readonly sender: Sender;
  private readonly answered: Answered[] = [];
  private readonly refused: number[] = [];
  private readonly began = performance.now();
  private readonly timer: NodeJS.Timeout;
  private sent = 0;

  constructor(
    service: Service,
    private readonly perSecond: number,
  ) {
    this.sender = new Sender({ url: service.url, path: '/v1/orders', apiKey: API_KEY }, Infinity, this);
    this.timer = setInterval(() => this.sendDue(), 1_000 / perSecond);
  }

  /** Called by the sender with each answer. */
  add(status: number, milliseconds: number): void {
    if (status === 201) this.answered.push({ sentAt: Date.now() - milliseconds, took: milliseconds });
    else this.refused.push(status);
  }

  /** Sends no more and waits for what is still out. @throws Error when a request was not answered with 201 */
  async stop(): Promise<Answered[]> {
    clearInterval(this.timer);
    await this.sender.end();
    if (this.refused.length > 0) throw new Error(`requests were answered with ${[...new Set(this.refused)].join(', ')}`);
    return this.answered;
  }

  /** Timers are late at times: whatever is due by now goes out. */
  private sendDue(): void {
    const due = Math.floor(((performance.now() - this.began) / 1_000) * this.perSecond);
    for (; this.sent < due; this.sent += 1) this.sender.send(freshOrder('uuidv7'));
  }
}
