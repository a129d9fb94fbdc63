import type { JobResult } from './loader.js';
import { percentile } from './statistics.js';

/** Counts the answers of one job. */
export class Tally {
  private readonly began = performance.now();
  private ended = this.began;
  private readonly milliseconds: number[] = [];
  private readonly statuses: Record<string, number> = {};

  add(status: number, milliseconds: number): void {
    this.ended = performance.now();
    this.milliseconds.push(milliseconds);
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }

  result(): Omit<JobResult, 'freshKeys'> {
    return {
      requests: this.milliseconds.length,
      seconds: (this.ended - this.began) / 1_000,
      p50: percentile(this.milliseconds, 0.5),
      p99: percentile(this.milliseconds, 0.99),
      longest: this.milliseconds.reduce((longest, one) => Math.max(longest, one), 0),
      statuses: this.statuses,
    };
  }
}
