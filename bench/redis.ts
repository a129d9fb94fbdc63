import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { freePort } from '../local/embedded-postgres.js';
import { cpuOf } from './proc.js';

/** Redis does not end with its parent. The shell's `read` returns when our end of the pipe is gone, however we ended. */
const GUARD = `"$@" & redis=$!; echo "pid=$redis"; read -r line; kill $redis; wait $redis`;

const START_MS = 10_000;

/** A Redis in memory alone, on a free port of 127.0.0.1. It ends with this process. */
export class Redis {
  private log = '';
  private readonly guard: ChildProcessByStdio<Writable, Readable, null>;
  private readonly ended: Promise<unknown>;

  private constructor(
    program: string,
    directory: string,
    private readonly port: number,
  ) {
    const flags = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', directory];
    // A group of its own, so that a terminal's Ctrl-C leaves its end to us.
    this.guard = spawn('/bin/sh', ['-c', GUARD, 'sh', program, ...flags], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    this.ended = new Promise((resolve) => this.guard.once('close', resolve));
  }

  /** @throws Error when it does not start */
  static async start(program: string, directory: string): Promise<Redis> {
    const redis = new Redis(program, directory, await freePort());
    try {
      await redis.ready();
      return redis;
    } catch (error) {
      await redis.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** CPU time so far, in microseconds. */
  cpu(): number {
    return cpuOf(Number(/pid=(\d+)/.exec(this.log)?.[1]));
  }

  /** Ends it; resolves when it is gone. May be called again. */
  async stop(): Promise<void> {
    this.guard.stdin.end();
    await this.ended;
  }

  private ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Redis did not start: ${this.log}`)), START_MS);
      this.guard.once('error', reject);
      this.guard.stdout.on('data', (chunk: Buffer) => {
        this.log = (this.log + chunk.toString()).slice(0, 10_000);
        if (!this.log.includes('Ready to accept connections')) return;
        clearTimeout(late);
        resolve();
      });
    });
  }
}
