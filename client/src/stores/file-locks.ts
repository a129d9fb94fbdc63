import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { Mutexes } from './mutex.js';

/** Between two looks at a lock that somebody has, in milliseconds; up to twice that. */
const LOOK_AGAIN_MS = 50;

/**
 * Locks between processes of one machine, by files. Whoever wants a lock puts a claim of its own beside those that are there,
 * and has it when no other claim is of a living process; otherwise it takes its claim back and looks again later. Of two that
 * claim at once the later one to look sees both, so that never two have it. All claims have different names, so that one of a dead
 * process can be removed by anybody at any time: a new holder's can't be taken for it. A claim is an empty file that says
 * everything in its name: there is none that is half written.
 */
export class FileLocks {
  // Within a process they queue up, so that it has one claim of a name at most.
  private readonly mutexes = new Mutexes();

  constructor(private readonly directory: string) {}

  /** As `Store.lock`. */
  hold<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.mutexes.hold(name, () => this.holdClaim(shortHash(name), work, signal), signal);
  }

  private async holdClaim<T>(lock: string, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const claim = await newClaim(lock);
    while (!(await this.take(lock, claim))) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS * (1 + Math.random())));
      signal?.throwIfAborted();
    }
    try {
      return await work();
    } finally {
      await this.remove(claim);
    }
  }

  private async take(lock: string, claim: string): Promise<boolean> {
    if (await this.isTaken(lock, claim)) return false;
    await writeFile(join(this.directory, claim), '', { flag: 'wx', mode: 0o600 });
    let isMine = false;
    try {
      isMine = !(await this.isTaken(lock, claim));
    } finally {
      if (!isMine) await this.remove(claim);
    }
    return isMine;
  }

  /** Whether a living process has a claim beside ours; removes those of the dead. */
  private async isTaken(lock: string, ours: string): Promise<boolean> {
    for (const claim of await readdir(this.directory)) {
      if (!claim.startsWith(`${lock}.`) || claim === ours) continue;
      if (await isOfTheLiving(claim)) return true;
      await this.remove(claim);
    }
    return false;
  }

  private remove(claim: string): Promise<void> {
    return rm(join(this.directory, claim), { force: true });
  }
}

/** lock.machine.process.its beginning.when it was claimed.anything */
async function newClaim(lock: string): Promise<string> {
  const beginning = (await beginningOf(process.pid)) ?? '';
  return [lock, shortHash(hostname()), process.pid, beginning, Date.now(), randomUUID()].join('.');
}

async function isOfTheLiving(claim: string): Promise<boolean> {
  const [, machine, pid, beginning, claimedAt] = claim.split('.');
  // Processes of another machine or container can't be seen from here: between them, the key alone keeps the promise.
  if (machine !== shortHash(hostname())) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // EPERM: it lives, as somebody else's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // The number may have been given to another process since.
  if (beginning) return beginning === (await beginningOf(Number(pid)));
  return Number(claimedAt) > Date.now() - uptime() * 1_000;
}

/** When a process began: the boot of the machine, and the ticks since then (proc(5), field 22). Only Linux tells. */
async function beginningOf(pid: number): Promise<string | undefined> {
  try {
    const [boot, status] = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')]);
    // The second field is the program's name, in brackets, and may hold anything.
    const ticks = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
    return `${shortHash(boot)}-${ticks}`;
  } catch {
    return undefined;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
