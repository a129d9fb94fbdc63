import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const isLinux = platform() === 'linux';

/**
 * Names a running process for good: its id and, on Linux, the moment it started, because ids are given again. Undefined when it
 * does not run; a dead one that nobody has reaped (usual in containers) does not run.
 */
export function identityOf(pid: number): string | undefined {
  if (!isLinux) return isTaken(pid) ? String(pid) : undefined;
  const fields = statOf(pid);
  return !fields || fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid}.${fields[19]}`;
}

/** Whether the process with this identity still runs. */
export const lives = (identity: string): boolean => identityOf(Number.parseInt(identity, 10)) === identity;

/** The parent of a process, on Linux. */
export const parentOf = (pid: number): number => Number(statOf(pid)?.[1]);

/** Waits until the process is gone. False when it is still there after `ms` milliseconds. */
export async function untilGone(identity: string, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; lives(identity);) {
    if (Date.now() > end) return false;
    await sleep(20);
  }
  return true;
}

/** Sends a signal to the process with this identity, if it still runs. */
export function signal(identity: string, name: NodeJS.Signals): void {
  if (!lives(identity)) return;
  try {
    process.kill(Number.parseInt(identity, 10), name);
  } catch (error) {
    // It may have ended since we looked.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The fields of /proc/<pid>/stat from the third (state) on. The second, the name, may itself hold blanks and parentheses. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Whether the system has given this id to a process, be it a dead one that nobody has reaped. */
export function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
