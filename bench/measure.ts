import type { JobResult } from './loader.js';
import { serverCpu } from './proc.js';
import type { Service } from './service.js';

/** What one request of a round cost and how long it took. CPU in microseconds, times in milliseconds. */
export interface Sample {
  nodeUs: number;
  postgresUs: number;
  totalUs: number;
  perSecond: number;
  p50: number;
  p99: number;
  residentMb: number;
}

/** Runs `work` against a service and says what each request of it cost there and in PostgreSQL. */
export async function measure(
  service: Service,
  postmaster: number,
  work: () => Promise<JobResult>,
  beside: Service[] = [],
): Promise<Sample> {
  const processes = [service, ...beside];
  const before = { node: sum(processes), postgres: serverCpu(postmaster) };
  const result = await work();
  const after = { node: sum(processes), postgres: serverCpu(postmaster) };
  const nodeUs = (after.node - before.node) / result.requests;
  let postgres = 0;
  for (const [pid, cpu] of after.postgres) postgres += cpu - (before.postgres.get(pid) ?? 0);
  const postgresUs = postgres / result.requests;
  return {
    nodeUs,
    postgresUs,
    totalUs: nodeUs + postgresUs,
    perSecond: result.requests / result.seconds,
    p50: result.p50,
    p99: result.p99,
    residentMb: service.resident() / 2 ** 20,
  };
}

function sum(services: Service[]): number {
  return services.reduce((total, service) => total + service.cpu(), 0);
}
