import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { envOf } from './database.js';
import { KEY_A, KEY_B, send, type TestRequest, type TestResponse } from './app.js';

/** A replica in a process of its own, as it runs in production. */
export interface ApiProcess {
  url: string;
  pid: number;
  send(method: string, path: string, request?: TestRequest): Promise<TestResponse>;
  /** Sends the signal and waits for the end: the exit code, or the signal that ended it. */
  kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Sends the signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  ended: Promise<number | NodeJS.Signals>;
  /** What it has logged so far, a line each; errors alone, unless `env` says otherwise. */
  log(): string[];
  /** Everything that it has written to standard output and standard error so far. */
  written(): string;
}

const MAIN = join(__dirname, '../../dist/src/main.js');

/** Starts the built API on a database that is migrated already. It ends with this process, whatever happens. */
export async function startProcess(databaseUrl: string, env: Record<string, string> = {}): Promise<ApiProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      PORT: '0',
      ...envOf(databaseUrl),
      MIGRATE: 'false',
      DEMO_API_KEY: KEY_A,
      DEMO_API_KEY_B: KEY_B,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let logged = '';
  let complaints = '';
  child.stdout?.on('data', (chunk: Buffer) => (logged += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 0)));
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: { ready?: { url: string } }) => message.ready && resolve(message.ready.url));
    void ended.then((status) => reject(new Error(`the API ended before it was ready (${status}): ${complaints}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    send: (method, path, request) => send(url, method, path, request),
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
    signal: (signal) => void child.kill(signal),
    ended,
    log: () => logged.split('\n').filter(Boolean),
    written: () => logged + complaints,
  };
}
