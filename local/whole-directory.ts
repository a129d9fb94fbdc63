import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { identityOf, lives } from './processes.js';

/**
 * Fills a directory whole or not at all: under another name beside it, renamed when finished. If someone else finishes `directory`
 * first, theirs stays. What earlier starts that were killed have left under the same `stem` (a path) is removed.
 */
export async function makeWhole(directory: string, stem: string, fill: (unfinished: string) => Promise<void> | void): Promise<void> {
  removeLeftovers(stem);
  const unfinished = `${stem}.new-${identityOf(process.pid)}-${randomBytes(6).toString('hex')}`;
  // Fails on anything that is already there.
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    await fill(unfinished);
    renameSync(unfinished, directory);
    sync(dirname(directory));
  } catch (error) {
    remove(unfinished);
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function removeLeftovers(stem: string): void {
  const start = `${basename(stem)}.new-`;
  for (const name of readdirSync(dirname(stem))) {
    const maker = name.startsWith(start) ? /^([\d.]+)-[0-9a-f]{12}$/.exec(name.slice(start.length))?.[1] : undefined;
    if (maker !== undefined && !lives(maker)) remove(join(dirname(stem), name));
  }
}

/** Tries more than once, because a child of a killed start may still be writing there for a moment. */
function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** A rename is in the disk's directory only after this. */
function sync(directory: string): void {
  if (platform() === 'win32') return;
  const descriptor = openSync(directory, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
