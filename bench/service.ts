import { fork, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cpuOf, residentOf } from './proc.js';

/** A server of its own process that is measured. It ends with this process, whose IPC channel it listens to. */
export class Service {
  private readonly child: ChildProcess;
  private readonly ended: Promise<string>;
  private address = '';

  /**
   * Starts a script, relative to this folder, that says `{ ready: { url } }` over its IPC channel once it serves. The module `before`
   * it, relative to this folder too, is loaded first.
   */
  constructor(
    readonly name: string,
    script: string,
    env: Record<string, string>,
    before?: string,
  ) {
    this.child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      // Nothing of this process's environment, nor a .env file: what a developer has set must not matter.
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', MIGRATE: 'false', ...env },
      cwd: tmpdir(),
      // Nor what this process itself was started with. The flag is the one that the service sets for itself: it helps all alike.
      execArgv: ['--no-allocation-site-pretenuring', ...(before === undefined ? [] : ['--import', new URL(before, import.meta.url).href])],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(String(signal ?? code))));
  }

  /** @throws Error when it ends before it serves */
  async ready(): Promise<this> {
    this.address = await new Promise<string>((resolve, reject) => {
      this.child.on('message', (message: { ready?: { url: string } }) => message.ready && resolve(message.ready.url));
      void this.ended.then((how) => reject(new Error(`${this.name} ended with ${how} before it served`)));
    });
    return this;
  }

  /** Where it serves, once it is ready. */
  get url(): string {
    return this.address;
  }

  get pid(): number {
    if (this.child.pid === undefined || this.child.exitCode !== null) throw new Error(`${this.name} does not run`);
    return this.child.pid;
  }

  /** CPU time so far, in microseconds. */
  cpu(): number {
    return cpuOf(this.pid);
  }

  /** Resident memory in bytes. */
  resident(): number {
    return residentOf(this.pid);
  }

  /** Ends it; resolves when it is gone. May be called again. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}
