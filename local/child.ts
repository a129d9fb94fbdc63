import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Piece, Run } from './supervisor.js';

/** A Node process of ours that says `{ ready: { url } }` over its IPC channel once it serves. */
export interface ChildRun extends Run {
  url: string;
  pid: number;
}

/** A child ended before it was ready; `exitCode` is its own, so that ours can be the same. */
export class ChildFailure extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/**
 * A script that runs as a child process. It is in a process group of its own, so that a terminal's Ctrl-C does not reach it before we
 * end it in order, and it learns of our death, kill -9 included, by the end of the IPC channel (`disconnect`).
 * Stopping sends SIGTERM, and SIGKILL after `patience` milliseconds. `start` rejects with a ChildFailure.
 */
export function childPiece(name: string, script: URL, env: NodeJS.ProcessEnv, patience = 15_000): Piece<ChildRun> {
  return {
    name,
    async start(signal) {
      signal.throwIfAborted();
      const child = spawn(process.execPath, ['--enable-source-maps', fileURLToPath(script)], {
        env,
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      let gone = false;
      const ended = new Promise<ChildFailure>((resolve) => {
        const settle = (sentence: string, code: number) => {
          gone = true;
          resolve(new ChildFailure(`${name} ${sentence}.`, code));
        };
        child.once('error', (error) => settle(`cannot be started: ${error.message}`, 1));
        child.once('exit', (code, killer) => settle(killer ? `was ended by ${killer}` : `ended with exit code ${code}`, code || 1));
      });
      const stop = async () => {
        if (!gone) child.kill('SIGTERM');
        const force = setTimeout(() => child.kill('SIGKILL'), patience);
        await ended;
        clearTimeout(force);
      };
      const ready = new Promise<string>((resolve) => {
        child.on('message', (message: { ready?: { url?: string } } | null) => {
          if (typeof message?.ready?.url === 'string') resolve(message.ready.url);
        });
      });
      const abort = () => void stop();
      signal.addEventListener('abort', abort, { once: true });
      try {
        const url = await Promise.race([ready, ended.then((failure) => Promise.reject(failure))]);
        return { url, pid: child.pid ?? 0, exited: ended.then(({ message }) => message), stop };
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}
