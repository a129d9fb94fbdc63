import { pauseAfter } from './retry/backoff.js';
import { Patience } from './retry/patience.js';

/**
 * What became of the first of a lane: it has its end (`sent`); the lane is `empty`, or `stuck` until somebody does something; or it is
 * tried again, at the earliest after that long.
 */
export type Step = 'sent' | 'empty' | 'stuck' | { retryAfterMs: number };

/** Between two tries of the queue, each of which has attempts of its own. */
const PAUSES = { baseMs: 2_000, capMs: 120_000 };

/** Goes through one lane, step by step, as far as it gets. */
export class Lane {
  /** Resolves when it stands still. */
  ended: Promise<void> = Promise.resolve();
  private isGoing = false;
  private isDue = false;
  private isWoken = false;
  private failures = 0;
  private alarm = new AbortController();

  /** @param mayStep aborted when it must stop; undefined while it must not go */
  constructor(
    private readonly step: () => Promise<Step>,
    private readonly mayStep: () => AbortSignal | undefined,
  ) {}

  /** Goes on where it stands still; in a pause it stays. */
  begin(): void {
    this.isDue = true;
    if (this.isGoing) return;
    this.isGoing = true;
    this.ended = this.go();
  }

  /** Goes on at once, also out of a pause. */
  wake(): void {
    this.isWoken = true;
    this.failures = 0;
    this.alarm.abort();
    this.begin();
  }

  private async go(): Promise<void> {
    try {
      while (this.isDue) {
        this.isDue = false;
        this.isWoken = false;
        const stop = this.mayStep();
        if (!stop) return;
        const step = await this.step();
        if (step === 'empty' || step === 'stuck') continue;
        this.isDue = true;
        if (step === 'sent') this.failures = 0;
        else await this.pause(step.retryAfterMs, stop);
      }
    } finally {
      this.isGoing = false;
    }
  }

  private async pause(retryAfterMs: number, stop: AbortSignal): Promise<void> {
    if (this.isWoken) return;
    this.failures += 1;
    this.alarm = new AbortController();
    const ms = retryAfterMs + pauseAfter(this.failures, PAUSES);
    await Patience.during(ms, AbortSignal.any([stop, this.alarm.signal]), (patience) => patience.over);
  }
}
