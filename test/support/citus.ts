import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serverAccount } from '../../local/account.js';
import { prepareDataDirectory } from '../../local/data-directory.js';
import { freePort } from '../../local/embedded-postgres.js';
import { launch } from '../../local/launch.js';
import { on } from './database.js';

/** Where Debian puts servers; one that has the extension is one whose library directory has it. */
const PLACES = ['18', '17', '16', '15'].map((major) => `/usr/lib/postgresql/${major}/bin/postgres`);

/** A server with the extension, or null: by its own variable, or as Debian's packages and a build from the source install it. */
function postgresWithCitus(): string | null {
  const places = process.env['CITUS_POSTGRES'] ? [process.env['CITUS_POSTGRES']] : PLACES;
  return places.find((place) => existsSync(place) && existsSync(join(dirname(place), '../lib/citus.so'))) ?? null;
}

/** Why there is no cluster to test with, or null. */
export function whyNoCitus(): string | null {
  if (postgresWithCitus() !== null) return null;
  return `no PostgreSQL with Citus: none of ${PLACES.join(', ')} has ../lib/citus.so, nor CITUS_POSTGRES names one that has; its public source is built in minutes`;
}

const FLAGS = {
  shared_preload_libraries: 'citus',
  'citus.shard_count': '8',
  // Nothing here outlives the run.
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  max_prepared_transactions: '300',
  'citus.enable_statistics_collection': 'off',
};

/** A coordinator with two workers, each of which clients may enter by. */
export interface Cluster {
  /** As the superuser: the coordinator first. */
  urls: readonly string[];
  stop(): Promise<void>;
}

/** Starts a cluster of servers without data, with the roles of the service and no passwords. */
export async function startCluster(): Promise<Cluster> {
  const postgres = postgresWithCitus() ?? '';
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-citus-'));
  // As root the servers run as another account, which must be able to enter.
  chmodSync(directory, 0o755);
  const servers: { url: string; port: number; stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    for (const name of ['coordinator', 'worker-1', 'worker-2']) servers.push(await startServer(postgres, join(directory, name)));
    const [coordinator, ...workers] = servers;
    const ask = (text: string): Promise<unknown[]> => on(coordinator?.url ?? '', text);
    await ask(`SELECT citus_set_coordinator_host('127.0.0.1', ${coordinator?.port})`);
    for (const { port } of workers) await ask(`SELECT citus_add_node('127.0.0.1', ${port})`);
    for (const role of ['holdfast_api', 'holdfast_background']) await ask(`CREATE ROLE ${role} LOGIN`);
    return { urls: servers.map(({ url }) => url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startServer(postgres: string, path: string): Promise<{ url: string; port: number; stop(): Promise<void> }> {
  const account = serverAccount(path);
  const directory = await prepareDataDirectory(path, { account, initdb: join(dirname(postgres), 'initdb'), durable: false });
  const port = await freePort();
  const flags = Object.entries(FLAGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = await launch({ postgres, account, directory, port, flags });
  const url = `postgres://holdfast@127.0.0.1:${port}/postgres`;
  await on(url, 'CREATE EXTENSION citus');
  return { url, port, stop: () => server.stop() };
}
