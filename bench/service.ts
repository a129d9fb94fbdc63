import { fork, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cpuOf, residentOf } from './proc.js';

/** A server of its own process that is measured. It ends with this process, whose IPC channel it listens to. */
export class Service {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** Starts a script, relative to this folder, that says `{ ready: { url } }` over its IPC channel once it serves. */
  static async start(name: string, script: string, env: Record<string, string>): Promise<Service> {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), [], {
      // Nothing of this process's environment, nor a .env file: what a developer has set must not matter.
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', MIGRATE: 'false', ...env },
      cwd: tmpdir(),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.on('message', (message: { ready?: { url: string } }) => message.ready && resolve(message.ready.url));
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it served`)));
    });
    return new Service(name, url, child);
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

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}
