import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Store, StoredIntent } from '../store.js';
import { FileLocks } from './file-locks.js';

/** Files of a write that never came to its end are removed when they are this old, in milliseconds. */
const ABANDONED_MS = 3_600_000;

/**
 * Keeps intents in a folder of this machine, one file each, for all its processes. A write is a file of its own that is synced
 * and renamed, and then the folder is synced, with the first write those above it too: after a crash there is the old intent or
 * the new one, and what was resolved is on the disk. Locks are files as well, and end with the process that holds them, kill -9 included.
 *
 * @param directory is made where it isn't there, for this user alone; on a network disk the locks hold within one machine only
 */
export function fileStore(directory: string): Store {
  const intents = join(directory, 'intents');
  const locks = new FileLocks(join(directory, 'locks'));
  let isOnDisk = false;
  // Keys have characters that names of files can't.
  const fileOf = (key: string): string => join(intents, `${createHash('sha256').update(key).digest('hex')}.json`);

  return {
    read: (key) => readIntent(fileOf(key)),
    list: async () => {
      const names = await readdir(intents).catch(nothingThere);
      await removeAbandoned(intents, names ?? []);
      const files = (names ?? []).filter((name) => name.endsWith('.json'));
      const found = await Promise.all(files.map((name) => readIntent(join(intents, name))));
      return found.filter((intent) => intent !== undefined);
    },
    write: async (key, intent) => {
      if (intent) await replace(intents, fileOf(key), JSON.stringify(intent));
      else await rm(fileOf(key), { force: true });
      if (intent && !isOnDisk) await syncWithThoseAbove(intents);
      else await sync(intents);
      isOnDisk ||= intent !== null;
    },
    lock: (name, work, signal) => locks.hold(name, work, signal),
  };
}

async function readIntent(file: string): Promise<StoredIntent | undefined> {
  const text = await readFile(file, 'utf8').catch(nothingThere);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as StoredIntent;
  } catch (cause) {
    throw new Error(`${file} is no intent: move it away, and ask the server what became of it`, { cause });
  }
}

async function replace(directory: string, file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

/** A rename or a removal is on the disk when the folder is. Windows can't sync folders, and journals what it renames. */
async function sync(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r').catch(nothingThere);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}

/**
 * Syncs a folder and all above it: it is on the disk when the one that it stands in is. Whether this process has made them doesn't matter: another one may
 * have, and not have synced them yet. What stands on another disk, or may not be opened, was there before.
 */
async function syncWithThoseAbove(directory: string): Promise<void> {
  const { dev } = await stat(directory);
  for (let above = resolve(directory), below = ''; above !== below; below = above, above = dirname(above)) {
    if ((await stat(above)).dev !== dev) return;
    await sync(above).catch(notAllowed);
  }
}

function notAllowed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
}

async function removeAbandoned(directory: string, names: string[]): Promise<void> {
  for (const name of names.filter((each) => each.endsWith('.tmp'))) {
    const file = join(directory, name);
    const found = await stat(file).catch(nothingThere);
    if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(file, { force: true });
  }
}

/** What isn't there is no error; everything else is. */
function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
