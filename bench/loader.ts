import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KeyStyle, Prepared } from './requests.js';

/**
 * What a job sends.
 * - `fresh`: an order under a new key each time; `remember` keeps them under a name.
 * - `again`: what an earlier job sent and remembered, in the same order, from the start again after the last.
 * - `same`: one request again and again. `list`: these, one after the other.
 * - `batches`: so many orders in each request, under new keys.
 * - `mixed`: orders, 10 % retries of earlier ones, 1 % earlier keys with another body, and now and then one order 50 times at once.
 */
export type Traffic =
  | { kind: 'fresh'; keys: KeyStyle; remember?: string }
  | { kind: 'again'; of: string }
  | { kind: 'same'; request: Prepared }
  | { kind: 'list'; requests: Prepared[] }
  | { kind: 'batches'; orders: number }
  | { kind: 'mixed' };

/** So many requests to one address, each connection sending the next one when it has its answer. */
export interface Job {
  url: string;
  path: string;
  apiKey: string;
  connections: number;
  amount: number;
  /** So many requests a second, evenly spaced, whether or not the earlier ones have been answered. */
  perSecond?: number;
  /** Ends after this time even when the amount has not been sent. */
  seconds?: number;
  traffic: Traffic;
}

/** How it went; times of single requests in milliseconds, as the client saw them. */
export interface JobResult {
  requests: number;
  seconds: number;
  p50: number;
  p99: number;
  longest: number;
  /** Status → number of answers. */
  statuses: Record<string, number>;
  /** How many different keys were sent that no earlier job had sent. */
  freshKeys: number;
}

type Answer = { result: JobResult } | { failure: string };

/** A process that makes load. It ends with this one. */
export class Loader {
  private readonly child: ChildProcess = fork(fileURLToPath(new URL('load.js', import.meta.url)), {
    // Standard output is the results' alone.
    stdio: ['ignore', 2, 2, 'ipc'],
  });

  /** @throws Error when a request had no answer at all, or a status other than those that are `expected` */
  async run(job: Job, expected: readonly number[] = [201]): Promise<JobResult> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`the load process ended with ${code}`));
      // Sending to one that is gone would be an error event that nobody listens to.
      if (!this.child.connected) return ended(this.child.exitCode);
      this.child.once('exit', ended);
      this.child.once('message', (message: Answer) => {
        this.child.off('exit', ended);
        resolve(message);
      });
      this.child.send(job);
    });
    if ('failure' in answer) throw new Error(answer.failure);
    const unexpected = Object.keys(answer.result.statuses).filter((status) => !expected.includes(Number(status)));
    if (unexpected.length > 0) throw new Error(`unexpected answers: ${JSON.stringify(answer.result.statuses)}`);
    return answer.result;
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
