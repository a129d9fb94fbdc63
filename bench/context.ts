import type { Job, Loader } from './loader.js';
import { measure, type Sample } from './measure.js';
import { API_KEY } from './requests.js';
import type { Amounts } from './rounds.js';
import type { Service } from './service.js';
import type { World } from './world.js';

/** What each workload works with. */
export interface Context {
  world: World;
  loader: Loader;
  amounts: Amounts;
}

/** Connections of the load, for all that is compared. */
export const CONNECTIONS = 32;

/** The service itself, which `npm run start:api` starts. */
export const HOLDFAST = '../src/main.js';

/** The usual job: orders of the first account. */
export function orders(service: Service, job: Pick<Job, 'amount' | 'traffic'>): Job {
  return { url: service.url, path: '/v1/orders', apiKey: API_KEY, connections: CONNECTIONS, ...job };
}

/** Runs a job against a service and measures it. */
export function measured({ world, loader }: Context, service: Service, job: Job): Promise<Sample> {
  return measure(service, world.postgres.pid, () => loader.run(job));
}
