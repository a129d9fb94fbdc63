import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { World } from './world.js';

/** What the figures were measured on. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  platform: string;
  node: string;
  postgres: string;
  sharedBuffers: string;
  /** The mean number of processes that ran or waited during the minute before. */
  loadAverage: { start: number; end: number };
}

/** How PostgreSQL keeps what it is told, in its own words. */
export type Durability = Record<'fsync' | 'synchronous_commit' | 'full_page_writes', string>;

/** The load average of the last minute. */
export function load(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}

/** @param start the load average before the benchmark */
export async function machineOf(world: World, start: number): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Number((totalmem() / 2 ** 30).toFixed(1)),
    platform: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    postgres: await show(world, 'server_version'),
    sharedBuffers: await show(world, 'shared_buffers'),
    loadAverage: { start, end: load() },
  };
}

/** Two lines of text. */
export function describe(machine: Machine): string {
  const { cpu, cores, memoryGb, platform, node, postgres, sharedBuffers, loadAverage } = machine;
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${platform}, Node ${node}, PostgreSQL ${postgres} (shared_buffers ${sharedBuffers});
load average ${loadAverage.start} before and ${loadAverage.end} after.`;
}

export async function durabilityOf(world: World): Promise<Durability> {
  return {
    fsync: await show(world, 'fsync'),
    synchronous_commit: await show(world, 'synchronous_commit'),
    full_page_writes: await show(world, 'full_page_writes'),
  };
}

async function show(world: World, setting: string): Promise<string> {
  const [row] = await world.query<Record<string, string>>(`SHOW ${setting}`);
  return row?.[setting] ?? 'unknown';
}
