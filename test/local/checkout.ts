import { transformFileSync } from '@swc/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const repository = resolve(__dirname, '../..');

/** A directory of its own that the account of the server can reach, whoever runs the tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  chmodSync(directory, 0o755);
  return directory;
}

/** A checkout with `local/` built, in which a test may put children of its own in the places of sandbox and API. */
export class Checkout {
  readonly directory = temporaryDirectory();
  private readonly running = new Set<ChildProcess>();

  constructor() {
    symlinkSync(join(repository, 'node_modules'), join(this.directory, 'node_modules'));
    this.write('package.json', '{ "type": "module" }');
    const kernel = join('src', 'kernel');
    const sources = ['local', kernel].flatMap((folder) => readdirSync(join(repository, folder)).map((name) => join(folder, name)));
    for (const source of sources) {
      const { code } = transformFileSync(join(repository, source), {
        cwd: repository,
        configFile: join(repository, '.swcrc'),
        sourceMaps: false,
      });
      this.write(join('dist', source.replace(/\.ts$/, '.js')), code);
    }
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.directory, name)), { recursive: true });
    writeFileSync(join(this.directory, name), text);
  }

  /** Runs a built script and waits until its output has `until`, or until it ends. */
  async run(script: string, env: Record<string, string>, until: RegExp) {
    const child = spawn(process.execPath, [join('dist', 'local', script)], { cwd: this.directory, env: { PATH: '/usr/bin:/bin', ...env } });
    this.running.add(child);
    const code = new Promise<number | string>((done) => child.once('exit', (status, signal) => done(status ?? signal ?? '')));
    let output = '';
    const seen = new Promise<void>((done) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          if (until.test(output)) done();
        });
      }
    });
    await Promise.race([seen, code]);
    return { pid: child.pid ?? 0, code, output: () => output, kill: (signal: NodeJS.Signals) => child.kill(signal) };
  }

  remove(): void {
    for (const child of this.running) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

export async function freePort(): Promise<number> {
  const taken = await takePort();
  await taken.close();
  return taken.port;
}

/** A port that somebody else listens on. */
export async function takePort(): Promise<{ port: number; close(): Promise<unknown> }> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return { port: address && typeof address === 'object' ? address.port : 0, close: () => new Promise((closed) => server.close(closed)) };
}

/** Waits until something holds; fails with what was awaited after a minute: a server that shuts down may have much to write. */
export async function eventually<T>(what: string, find: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    const found = await find();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 25));
  }
  throw new Error(`Waited in vain for: ${what}`);
}
