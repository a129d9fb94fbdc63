import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DataSource } from 'typeorm';
import { serverAccount } from '../../local/account.js';
import { prepareDataDirectory } from '../../local/data-directory.js';
import { freePort, type EmbeddedRole } from '../../local/embedded-postgres.js';
import { launch } from '../../local/launch.js';
import { databaseOptions } from '../../src/database/data-source.js';
import { distribute } from '../../src/database/distribute.js';
import { EMBEDDED_ROLES } from '../../src/kernel/config.js';
import type { Keeper } from '../../storm/world.js';
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
  max_worker_processes: '64',
  // Nothing here outlives the run.
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  max_prepared_transactions: '300',
  'citus.enable_statistics_collection': 'off',
};

/** A coordinator with two workers, each of which clients may enter by. Several databases may be spread over it. */
export class Cluster implements Keeper {
  readonly entries = [0, 1, 2];

  constructor(
    private readonly servers: readonly Pick<CitusServer, 'port'>[],
    readonly stop: () => Promise<void>,
  ) {}

  url(database: string, role: EmbeddedRole = 'owner', entry = 0): string {
    return `postgres://${EMBEDDED_ROLES[role]}@127.0.0.1:${this.servers[entry]?.port}/${database}`;
  }

  /** A database's address as its owner by each server, the coordinator first. */
  urls(database: string): string[] {
    return this.entries.map((entry) => this.url(database, undefined, entry));
  }

  async create(database: string): Promise<void> {
    await Promise.all(
      this.entries.map(async (entry) => {
        await on(this.url('postgres', undefined, entry), `CREATE DATABASE ${database}`);
        await on(this.url(database, undefined, entry), 'CREATE EXTENSION citus');
      }),
    );
    const [coordinator, ...workers] = this.servers;
    await on(this.url(database), `SELECT citus_set_coordinator_host('127.0.0.1', ${coordinator?.port})`);
    for (const { port } of workers) await on(this.url(database), `SELECT citus_add_node('127.0.0.1', ${port})`);
  }

  /** Has the server of an account's rows give out many transaction ids. */
  async spendTransactions(database: string, account: string): Promise<void> {
    await spendTransactions(this.url(database, undefined, (await this.shardOf(database, account)).entry));
  }

  /** Moves an account's rows from the worker that has them to the other one. */
  async move(database: string, account: string): Promise<void> {
    const { id, entry } = await this.shardOf(database, account);
    const [from, to] = [this.servers[entry], this.servers[entry === 1 ? 2 : 1]];
    await on(
      this.url(database),
      `SELECT citus_move_shard_placement($1, '127.0.0.1', $2::int, '127.0.0.1', $3::int, shard_transfer_mode => 'block_writes')`,
      [id, from?.port, to?.port],
    );
  }

  private async shardOf(database: string, account: string): Promise<{ id: string; entry: number }> {
    const [shard] = await on<{ id: string; port: number }>(
      this.url(database),
      `SELECT shardid AS id, nodeport AS port FROM pg_dist_shard_placement WHERE shardid = get_shard_id_for_distribution_column('orders', $1::uuid)`,
      [account],
    );
    return { id: shard?.id ?? '', entry: this.servers.findIndex(({ port }) => port === shard?.port) };
  }

  /** As `npm run citus` does; the names of the tables that it spread. */
  async spread(database: string): Promise<string[]> {
    const owner = await new DataSource(databaseOptions(this.url(database), 1)).initialize();
    return distribute(owner).finally(() => owner.destroy());
  }
}

/** Has a server give out many transaction ids. */
export async function spendTransactions(url: string): Promise<void> {
  await on(url, 'DO $$ BEGIN FOR n IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$');
}

/** Starts a cluster of servers without data, with the roles of the service, no passwords and no database yet. */
export async function startCluster(): Promise<Cluster> {
  const postgres = postgresWithCitus() ?? '';
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-citus-'));
  // As root the servers run as another account, which must be able to enter.
  chmodSync(directory, 0o755);
  const servers: CitusServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    for (const name of ['coordinator', 'worker-1', 'worker-2']) servers.push(await startServer(postgres, join(directory, name)));
    return new Cluster(servers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

interface CitusServer {
  port: number;
  stop(): Promise<void>;
}

async function startServer(postgres: string, path: string): Promise<CitusServer> {
  const account = serverAccount(path);
  const directory = await prepareDataDirectory(path, { account, initdb: join(dirname(postgres), 'initdb'), durable: false });
  const port = await freePort();
  const flags = Object.entries(FLAGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = await launch({ postgres, account, directory, port, flags });
  for (const role of [EMBEDDED_ROLES.api, EMBEDDED_ROLES.background])
    await on(`postgres://holdfast@127.0.0.1:${port}/postgres`, `CREATE ROLE ${role} LOGIN`);
  return { port, stop: () => server.stop() };
}
