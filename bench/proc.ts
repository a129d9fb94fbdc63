import { readFileSync, readdirSync } from 'node:fs';

/** proc(5) counts CPU time in ticks of 1/100 s on every Linux that Node runs on. */
const TICK_US = 10_000;

/** CPU time that a process has used so far, with all its threads, in microseconds. */
export function cpuOf(pid: number): number {
  return statOf(pid)?.cpu ?? 0;
}

/** Memory of a process that is in RAM at the moment, in bytes. */
export function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/**
 * CPU time so far of each process of a PostgreSQL server that works for clients: the backends, and the writer of the log.
 * The checkpointer and autovacuum work in bursts, which hit whatever is measured at the time: they aren't counted.
 */
export function serverCpu(postmaster: number): Map<number, number> {
  const cpu = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (stat?.parent === postmaster && !BURSTS.test(titleOf(pid))) cpu.set(pid, stat.cpu);
  }
  return cpu;
}

const BURSTS = /checkpointer|autovacuum|background writer/;

/** Fields 4, 14 and 15 of proc(5)'s stat, counted behind the name, which may hold anything. */
function statOf(pid: number): { parent: number; cpu: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) * TICK_US };
  } catch {
    return undefined;
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
