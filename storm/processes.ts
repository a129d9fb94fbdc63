import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';

const STARTS = 5;

/** A script of the build in a process of its own, which can be killed and started again on its port. It ends with this process. */
export class Piece {
  url = '';
  /** How it ended when nobody had ended it; such an end is a failure in itself. */
  readonly surprises: string[] = [];
  /** All that it has written to standard output and standard error, in each of its lives. */
  written = '';
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private expected = false;
  private starting: Promise<void> = Promise.resolve();

  /** @param portVariable the variable that takes its port */
  constructor(
    private readonly name: string,
    private readonly script: string,
    private readonly portVariable: string,
    private readonly env: Record<string, string>,
  ) {}

  /**
   * Starts it and waits until it serves: the first time on a free port, then on the same one. Like every supervisor it
   * tries again, for a start may meet a database that has just cut the connection.
   */
  async start(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.startOnce();
      } catch (error) {
        if (tries === STARTS) throw error;
      }
    }
  }

  private async startOnce(): Promise<void> {
    const port = this.url ? new URL(this.url).port : '0';
    // Nothing of this process's environment: what a developer has set must not matter. Nor a .env file, hence the directory.
    const env = { ...this.env, [this.portVariable]: port };
    const child = spawn(process.execPath, ['--enable-source-maps', this.script], {
      env,
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    // Until it serves, its end is reported by the promise below.
    this.expected = true;
    let complaints = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        complaints = (complaints + text).slice(-2_000);
        this.written += text;
      });
    }
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve();
        if (this.expected) return;
        this.surprises.push(`${this.name} ended by itself (${signal ?? code}): ${complaints}`);
        // As its supervisor would: the storm goes on, and the end is reported.
        this.starting = this.start().catch(() => undefined);
      });
    });
    this.url = await new Promise<string>((resolve, reject) => {
      child.on('message', (message: { ready?: { url: string } }) => message.ready && resolve(message.ready.url));
      void this.ended.then(() => reject(new Error(`${this.name} ended before it was ready: ${complaints}`)));
    });
    this.expected = false;
  }

  async kill(): Promise<void> {
    await this.starting;
    this.expected = true;
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }
}
