import type { JobResult } from './loader.js';
import { ServerMeter } from './proc.js';

/**
 * What one request of a round cost and how long it took. CPU time in microseconds, times in milliseconds. What a variant
 * doesn't have (a Redis, a process of Node) is missing.
 */
export interface Sample {
  nodeUs?: number;
  postgresUs: number;
  redisUs?: number;
  totalUs: number;
  perSecond: number;
  p50: number;
  p99: number;
  residentMb?: number;
}

/** A process whose CPU time so far, in microseconds, can be read. */
export interface Metered {
  cpu(): number;
}

/** Runs `work` against a service and says what each request of it cost there, in PostgreSQL and in `redis`. */
export async function measure(
  service: Metered & { resident(): number },
  postmaster: number,
  work: () => Promise<JobResult>,
  redis?: Metered,
): Promise<Sample & { nodeUs: number; residentMb: number }> {
  const before = { node: service.cpu(), redis: redis?.cpu() ?? 0 };
  const server = new ServerMeter(postmaster);
  const result = await work();
  const postgresUs = server.spent() / result.requests;
  const nodeUs = (service.cpu() - before.node) / result.requests;
  const redisUs = ((redis?.cpu() ?? 0) - before.redis) / result.requests;
  return {
    nodeUs,
    postgresUs,
    ...(redis && { redisUs }),
    totalUs: nodeUs + postgresUs + redisUs,
    perSecond: result.requests / result.seconds,
    p50: result.p50,
    p99: result.p99,
    residentMb: service.resident() / 2 ** 20,
  };
}
