import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, serverEnvironment } from './account.js';
import { endPostmaster, findPostmaster, ownerSetting } from './postmaster.js';
import { identityOf } from './processes.js';

/** What to run, on which data directory (a real path), as whom and where. */
export interface Launch {
  postgres: string;
  account: Account;
  directory: string;
  port: number;
  flags: readonly string[];
}

/** The server ended before it was ready. */
export class LaunchFailure extends Error {
  constructor(
    readonly reason: 'port taken' | 'directory in use' | 'other',
    message: string,
  ) {
    super(message);
  }
}

/**
 * The shell between us and the server. It keeps one end of a pipe whose other end is ours: when we are gone, however we ended, `read`
 * returns and the server is told to shut down. The group is its own, so that a terminal's Ctrl-C does not reach the server before the
 * application has closed. The reader is ended with the server, or it might signal whoever is given the server's process id next.
 */
const guard = `exec 3<&0
"$@" 3<&- & server=$!
{ read -r line; kill -INT $server; } <&3 2>/dev/null & reader=$!
exec 3<&- 2>/dev/null
wait $server; status=$?
kill $reader
exit $status`;

/**
 * Runs a server and waits until it takes connections, however long its recovery lasts.
 * @throws LaunchFailure when it ends before that
 */
export async function launch({
  postgres,
  account,
  directory,
  port,
  flags,
}: Launch): Promise<{ pid: number; exited: Promise<string>; stop(): Promise<void> }> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // Enough for two replicas and the tests.
    max_connections: '200',
    timezone: 'UTC',
    // The life of the server, and no statements: those hold other people's data.
    log_min_messages: 'log',
  };
  const own = identityOf(process.pid) ?? '';
  const args = ['-D', directory, '-p', String(port), '-c', ownerSetting(own)];
  args.push(...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]), ...flags);
  const options = { ...account, cwd: '/', env: serverEnvironment, stdio: ['pipe', 'ignore', 'pipe'] as ['pipe', 'ignore', 'pipe'] };
  const child =
    platform() === 'win32'
      ? spawn(postgres, args, { ...options, cwd: directory })
      : spawn('/bin/sh', ['-c', guard, 'sh', postgres, ...args], { ...options, detached: true });

  let log = '';
  const ready = new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000);
      if (log.includes('database system is ready to accept connections')) resolve();
    });
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(String(code ?? signal)));
  });
  const drained = new Promise((resolve) => child.stderr.once('close', resolve));
  const exited = ended.then(async (status) => {
    // A guard that was killed leaves its server behind.
    const left = findPostmaster(directory, account);
    if (left?.owner === own) await endPostmaster(left.identity);
    // Not for ever: a backend that has lost its server may hold the other end of the pipe for as long as its query runs.
    await Promise.race([drained, sleep(1_000, undefined, { ref: false })]);
    return `PostgreSQL ended (${status}). ${complaints(log)}`.trim();
  });
  await Promise.race([ready, exited.then((sentence) => Promise.reject(failure(log, sentence)))]);

  const pid = Number.parseInt(readFileSync(join(directory, 'postmaster.pid'), 'utf8'), 10);
  const identity = identityOf(pid);
  const stop = async () => {
    if (identity !== undefined) await endPostmaster(identity);
    await exited;
  };
  return { pid, exited, stop };
}

function failure(log: string, sentence: string): LaunchFailure {
  if (/lock file .* (already exists|is empty)|shared memory block/.test(log)) return new LaunchFailure('directory in use', sentence);
  if (/Address already in use/.test(log)) return new LaunchFailure('port taken', sentence);
  return new LaunchFailure('other', sentence);
}

/** What went wrong, in the server's words: the lines that are not the ordinary course of its life. */
const complaints = (log: string): string =>
  log
    .split('\n')
    .filter((line) => line && !line.includes(' LOG:  '))
    .slice(-6)
    .join('\n');
