import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { type Account, EmbeddedPostgresError, serverEnvironment } from './account.js';
import { identityOf, isTaken, lives, parentOf, signal, untilGone } from './processes.js';

/** A server that runs on a data directory. `owner` is the identity of the process that started it, where it was one of ours. */
export interface Postmaster {
  identity: string;
  port: number;
  owner: string | undefined;
}

/** The setting that a server of ours carries on its command line, so that whoever finds it knows whether its owner still lives. */
export const ownerSetting = (owner: string): string => `holdfast.owner=${owner}`;

/** The server that runs on this data directory, if one does. A postmaster.pid alone proves nothing: it outlives kill -9 and copying. */
export function findPostmaster(directory: string, account: Account): Postmaster | undefined {
  const file = lockFile(directory);
  if (!existsSync(file)) return undefined;
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n').map(Number);
  if (!pid || !processesIn(directory, account).includes(pid)) return undefined;
  const identity = identityOf(pid);
  const owner = /holdfast\.owner=([\d.]+)/.exec(commandOf(pid))?.[1];
  return identity === undefined ? undefined : { identity, port: port ?? 0, owner };
}

/**
 * Makes room for a new server on this data directory after whatever happened to the last one: ends a server whose owner is gone and
 * backends that have lost their server, and removes a lock that stands for a process that has nothing to do with it. Loses no data.
 * @throws EmbeddedPostgresError when a server runs there whose owner lives
 */
export async function makeRoom(directory: string, account: Account): Promise<void> {
  const file = lockFile(directory);
  if (!existsSync(file)) return;
  const lock = readFileSync(file, 'utf8');
  const running = findPostmaster(directory, account);
  if (running) {
    if (running.owner === undefined || lives(running.owner)) throw alreadyRunning(directory, running);
    await endPostmaster(running.identity);
  }
  await endOrphans(directory, account);
  // PostgreSQL believes a lock whose process id belongs to anything else by now. Removed only if it is still the one that we judged.
  if (
    isTaken(Number.parseInt(lock, 10)) &&
    !findPostmaster(directory, account) &&
    existsSync(file) &&
    readFileSync(file, 'utf8') === lock
  ) {
    rmSync(file);
  }
}

/**
 * Ends a server: at first it cuts its connections and leaves a clean data directory; if it hangs, it is cut off, which loses nothing
 * that was committed. Returns when it is gone.
 * @throws EmbeddedPostgresError when it does not go
 */
export async function endPostmaster(identity: string): Promise<void> {
  for (const [name, patience] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    signal(identity, name);
    if (await untilGone(identity, patience)) return;
  }
  throw new EmbeddedPostgresError(`PostgreSQL (process ${Number.parseInt(identity, 10)}) does not end.`);
}

const lockFile = (directory: string): string => join(directory, 'postmaster.pid');

function alreadyRunning(directory: string, { identity, port, owner }: Postmaster): EmbeddedPostgresError {
  const starter = owner === undefined ? '' : `, started by process ${Number.parseInt(owner, 10)}`;
  return new EmbeddedPostgresError(
    `Holdfast's PostgreSQL is already running on ${directory} (process ${Number.parseInt(identity, 10)}, port ${port}${starter}). Stop that first; to run a second one beside it, set EMBEDDED_DB_DIR and EMBEDDED_DB_PORT.`,
  );
}

/** A backend that was busy when its server was killed goes on for a while, and keeps the next server from starting. */
async function endOrphans(directory: string, account: Account): Promise<void> {
  const isServer = (pid: number) => commandOf(pid).includes(ownerSetting(''));
  // A start beside ours may have won in the meantime: its server, and what has that for a parent, are no orphans.
  const orphans = processesIn(directory, account).filter((pid) => !isServer(pid) && !isServer(parentOf(pid)));
  const identities = orphans.map(identityOf).filter((identity) => identity !== undefined);
  for (const identity of identities) signal(identity, 'SIGKILL');
  await Promise.all(identities.map((identity) => untilGone(identity, 5_000)));
}

/** `-ef` compares device and inode, so that a directory that was renamed is still the same and a copy is not. */
const scan =
  'for p in /proc/[0-9]*; do if [ "$p/cwd" -ef "$1" ] && read -r name < "$p/comm" && [ "$name" = postgres ]; then echo "${p#/proc/}"; fi; done';

/** PostgreSQL's processes that work in this directory. Asked as their account: in a container root may not look into /proc/<pid>/cwd. */
function processesIn(directory: string, account: Account): number[] {
  if (platform() === 'linux') {
    const found = spawnSync('/bin/sh', ['-c', `exec 2>/dev/null; ${scan}`, 'sh', directory], {
      ...account,
      cwd: '/',
      env: serverEnvironment,
      encoding: 'utf8',
    });
    return found.stdout.split('\n').filter(Boolean).map(Number);
  }
  const pid = Number.parseInt(readFileSync(lockFile(directory), 'utf8'), 10);
  return commandOf(pid).includes(directory) ? [pid] : [];
}

/** The command line of a process, empty when it is gone. */
function commandOf(pid: number): string {
  if (platform() !== 'linux') return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
