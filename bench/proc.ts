import { readFileSync, readdirSync } from 'node:fs';

/**
 * CPU time that a process has used so far, with all its threads, in microseconds; 0 once it has ended. From the scheduler,
 * which counts nanoseconds: the ticks of proc(5)'s stat are 10 ms long, and a round of replays lasts only a few of them.
 */
export function cpuOf(pid: number): number {
  const threads = quietly(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const nanoseconds = threads.reduce((sum, thread) => sum + nanosecondsOf(`/proc/${pid}/task/${thread}/schedstat`), 0);
  // Some kernels are built without that count.
  return nanoseconds > 0 ? nanoseconds / 1_000 : ticksOf(pid) * TICK_US;
}

/** proc(5) counts in ticks of 1/100 s on every Linux that Node runs on. */
const TICK_US = 10_000;

/** Memory of a process that is in RAM at the moment, in bytes; 0 once it has ended. */
export function residentOf(pid: number): number {
  const status = quietly(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/**
 * CPU time so far, in microseconds, of each process of a PostgreSQL server that works for clients: the backends, and the
 * writer of the log. The checkpointer and autovacuum work in bursts, which hit whatever is measured at the time: they
 * aren't counted.
 */
export function serverCpu(postmaster: number): Map<number, number> {
  const cpu = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && parentOf(pid) === postmaster && !BURSTS.test(titleOf(pid))) cpu.set(pid, cpuOf(pid));
  }
  return cpu;
}

const BURSTS = /checkpointer|autovacuum|background writer/;

/** What a PostgreSQL server has used since the meter was made. */
export class ServerMeter {
  private readonly before: Map<number, number>;
  private readonly latest = new Map<number, number>();

  constructor(private readonly postmaster: number) {
    this.before = serverCpu(postmaster);
  }

  /** What a process has used by now counts even if it ends before the next look. */
  look(): void {
    for (const [pid, cpu] of serverCpu(this.postmaster)) this.latest.set(pid, cpu);
  }

  /** CPU time in microseconds. */
  spent(): number {
    this.look();
    let sum = 0;
    for (const [pid, cpu] of this.latest) sum += cpu - (this.before.get(pid) ?? 0);
    return sum;
  }
}

/** The first number of schedstat (Documentation/scheduler/sched-stats.rst of Linux). */
function nanosecondsOf(path: string): number {
  return Number((quietly(() => readFileSync(path, 'utf8')) ?? '0').split(' ')[0]);
}

/** Field 4 of proc(5)'s stat. */
function parentOf(pid: number): number | undefined {
  const fields = statOf(pid);
  return fields && Number(fields[1]);
}

/** Fields 14 and 15. */
function ticksOf(pid: number): number {
  const fields = statOf(pid) ?? [];
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** The fields of proc(5)'s stat from the third on: those behind the name, which may hold anything. */
function statOf(pid: number): string[] | undefined {
  return quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    ?.split(') ')
    .at(-1)
    ?.split(' ');
}

function titleOf(pid: number): string {
  return quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
}

/** A process may end between two looks at it. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
