import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, canEnter, EmbeddedPostgresError, serverEnvironment } from './account.js';
import { ownedByRoot, rootStore } from './server-files.js';
import { makeWhole } from './whole-directory.js';

/** How to make a new data directory. `durable` waits until it is on the disk. */
export interface Initialisation {
  account: Account;
  initdb: string;
  durable: boolean;
}

/**
 * Makes the data directory if there is none, and returns its real path. Of two starts at once one wins, and a start that is killed
 * half-way leaves nothing that the next one takes for a database.
 *
 * Where the account cannot reach `directory` (root's checkout is under /root), the data is in a store of root's and `directory` is a
 * link to it: whoever removes the link starts afresh.
 * @throws EmbeddedPostgresError when the directory holds something else, or cannot be handed to the account
 */
export async function prepareDataDirectory(directory: string, options: Initialisation): Promise<string> {
  const { account } = options;
  mkdirSync(dirname(directory), { recursive: true });
  const content = contentOf(directory);
  const place = content === 'none' ? directory : realpathSync(directory);
  const fill = (unfinished: string) => initialise(unfinished, options);
  // Asked of the parent, because the directory's own mode and owner are put right below.
  if (!canEnter(dirname(place), account)) {
    await linkToStore(directory, place, content === 'data' ? (unfinished) => copyData(place, unfinished) : fill);
  } else if (content !== 'data') await makeWhole(place, place, fill);
  const real = realpathSync(directory);
  // PostgreSQL refuses another owner and other modes; a copy that root made has both.
  if (account.uid !== undefined && lstatSync(real).uid !== account.uid) give(real, account);
  chmodSync(real, 0o700);
  return real;
}

function contentOf(directory: string): 'none' | 'empty' | 'data' {
  if (!lstatSync(directory, { throwIfNoEntry: false })) return 'none';
  const names = namesIn(directory);
  if (names.length === 0) return 'empty';
  if (names.includes('PG_VERSION')) return 'data';
  throw new EmbeddedPostgresError(`${directory} holds something that is not a database: name another directory in EMBEDDED_DB_DIR.`);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `${directory} cannot be read (${(error as NodeJS.ErrnoException).code}): remove it to start with an empty database, or name another directory in EMBEDDED_DB_DIR.`,
      { cause: error },
    );
  }
}

async function initialise(target: string, { account, initdb, durable }: Initialisation): Promise<void> {
  if (account.uid !== undefined) give(target, account);
  const args = ['-D', target, '-U', 'holdfast', '--auth=trust', '-E', 'UTF8', '--no-locale', ...(durable ? [] : ['--no-sync'])];
  try {
    await promisify(execFile)(initdb, args, { ...account, cwd: '/', env: serverEnvironment });
  } catch (error) {
    throw new EmbeddedPostgresError(`initdb failed: ${String((error as { stderr?: string }).stderr).trim()}`, { cause: error });
  }
}

/** Makes the data in root's store and puts a link to it at `directory`. What was there before, in `place`, is kept beside it. */
async function linkToStore(directory: string, place: string, fill: (unfinished: string) => Promise<void> | void): Promise<void> {
  const store = ownedByRoot(rootStore);
  const target = join(store, `data-${randomBytes(6).toString('hex')}`);
  await makeWhole(target, join(store, 'data'), fill);
  try {
    if (existsSync(directory) && realpathSync(directory) === place) renameSync(directory, `${directory}.before-${Date.now()}`);
    symlinkSync(target, directory);
  } catch (error) {
    rmSync(target, { recursive: true });
    // Another start was faster: its data are the ones.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** For a checkout that was moved, data included, to where the account cannot go. */
function copyData(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/** Hands a tree of root's to the account; links are not followed. */
function give(path: string, account: Account): void {
  const { uid, gid } = account;
  if (uid === undefined || gid === undefined) return;
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `${path} cannot be handed to the account with id ${uid}, which PostgreSQL must run as because it refuses root: start as an ordinary user, or set DATABASE_URL.`,
      { cause: error },
    );
  }
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name), account);
}
