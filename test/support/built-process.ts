import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a process left behind when it had ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A process that runs, with all it has printed so far. */
export interface Running {
  child: ChildProcess;
  output(): string;
  ended: Promise<Ended>;
  /** Ends it with SIGTERM and waits until it is gone. */
  stop(): Promise<Ended>;
}

const repository = resolve(__dirname, '../..');

/** Starts a script of the build. Of ours it gets the PATH alone, and no .env: what a developer has set must not matter. */
export function start(script: string, args: string[] = [], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(repository, 'dist', script), ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    output: () => stdout + stderr,
    ended,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Runs a script of the build to its end. */
export function run(script: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return start(script, args, env).ended;
}
