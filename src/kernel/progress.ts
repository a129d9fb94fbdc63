import { inContinuousIntegration } from './config.js';

/** What is over before this, in milliseconds, is not worth a word. */
const PATIENCE = 2_000;
/** Without a terminal a count is said again after so long, in milliseconds. */
const SELDOM = 30_000;

/** Where progress is shown. */
interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/**
 * Says on standard error what a command does now and how far it is, once it has taken two seconds. Each step is a line. In a
 * terminal the count within a step moves on a line below it, which goes again; elsewhere it is a line every half minute. A build
 * server (`CI`) hears nothing.
 */
export class Progress {
  private readonly began = performance.now();
  private readonly quiet = inContinuousIntegration();
  private readonly patience: NodeJS.Timeout;
  private patient = true;
  private steps = 0;
  private current: string | undefined;
  private counted = 0;
  private moving = false;

  /** @param all how many steps there will be, where that is known */
  constructor(
    private readonly all?: number,
    private readonly output: Output = process.stderr,
  ) {
    // A command that is done must not wait for a word about it.
    this.patience = setTimeout(() => this.begin(), PATIENCE).unref();
  }

  /** What is done from now on. */
  step(what: string): void {
    this.steps += 1;
    this.current = this.all === undefined ? what : `${this.steps}/${this.all}  ${what}`;
    this.say();
  }

  /** How far the step is: so many of `all`, and what they are. */
  count(done: number, all: number, what: string): void {
    if (this.patient || this.quiet) return;
    const now = performance.now();
    const text = `${' '.repeat(8)}${done} of ${all} ${what}`;
    if (this.output.isTTY) {
      this.output.write(`\r\x1b[K${text}`);
      this.moving = true;
    } else if (now - this.counted >= SELDOM) {
      this.output.write(`${text}\n`);
      this.counted = now;
    }
  }

  /** All is done; what follows is the command's own to say. */
  end(): void {
    clearTimeout(this.patience);
    this.clear();
    this.patient = true;
  }

  private begin(): void {
    this.patient = false;
    this.say();
  }

  private say(): void {
    if (this.patient || this.quiet || this.current === undefined) return;
    this.clear();
    const seconds = Math.round((performance.now() - this.began) / 1_000);
    this.output.write(`${String(seconds).padStart(4)} s  ${this.current}\n`);
    this.counted = performance.now();
  }

  private clear(): void {
    if (this.moving) this.output.write('\r\x1b[K');
    this.moving = false;
  }
}
