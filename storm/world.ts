import { join } from 'node:path';
import { Client } from 'pg';
import type { EmbeddedPostgres, EmbeddedRole } from '../local/embedded-postgres.js';
import { TemporaryPostgres } from '../local/temporary-postgres.js';
import { parseConfig } from '../src/kernel/config.js';
import { prepareDatabase } from '../src/prepare-database.js';
import { LEASE_MS, type Faults } from './plan.js';
import { Piece } from './processes.js';

export const API_KEY = `hf_test_${'s'.repeat(26)}_secretofthestorm`;
const OTHER_API_KEY = `hf_test_${'t'.repeat(26)}_secretofthestorm`;
const WEBHOOK_SECRET = `whsec_${Buffer.from('the webhook secret of the storm').toString('base64')}`;

/** What nobody may find in a log. */
export const SECRETS: readonly string[] = [API_KEY, OTHER_API_KEY].map((key) => key.split('_').at(-1) ?? key).concat(WEBHOOK_SECRET);

/** Short times, so that what waits for a deadline or a lease doesn't wait long; the log as it is shipped. */
const REPLICA_ENV = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  MIGRATE: 'false',
  DEMO_API_KEY: API_KEY,
  DEMO_API_KEY_B: OTHER_API_KEY,
  PROVIDER_TIMEOUT: '500ms',
  IDEMPOTENCY_LEASE: `${LEASE_MS}ms`,
  IDEMPOTENCY_RECOVERY_INTERVAL: '200ms',
  IDEMPOTENCY_PURGE_INTERVAL: '1s',
  PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET,
};

/** What keeps the databases of worlds. */
export interface Keeper {
  /** One for each replica of a world: of several servers the one that it enters by. */
  readonly entries: readonly number[];
  /** The address of a database, as its owner unless told; `entry`: the server to enter by, the first one unless told. */
  url(database: string, role?: EmbeddedRole, entry?: number): string;
  /** Makes an empty database. */
  create(database: string): Promise<void>;
  /** Has its tables lie where they are to lie, once they are there. */
  spread(database: string): Promise<unknown>;
}

/** A PostgreSQL with fsync in a temporary directory; several worlds may share it. */
export class Server implements Keeper {
  readonly entries = [0, 0];

  private constructor(
    private readonly temporary: TemporaryPostgres,
    private readonly postgres: EmbeddedPostgres,
  ) {}

  static async start(): Promise<Server> {
    const temporary = new TemporaryPostgres('storm');
    try {
      return new Server(temporary, await temporary.ready);
    } catch (error) {
      await temporary.end();
      throw error;
    }
  }

  url(database: string, role?: EmbeddedRole): string {
    return this.postgres.url(database, role);
  }

  async create(database: string): Promise<void> {
    const client = new Client(this.url('postgres'));
    await client.connect();
    await client.query(`CREATE DATABASE ${database}`);
    await client.end();
  }

  /** It is one server. */
  async spread(): Promise<void> {}

  stop(): Promise<void> {
    return this.temporary.end();
  }
}

/** What the processes of a world run. */
export interface Scripts {
  replica: string;
  sandbox: string;
}

/** Those of the build in the directory. */
export function scriptsOf(dist: string): Scripts {
  return { replica: join(dist, 'src/main.js'), sandbox: join(dist, 'sandbox/main.js') };
}

/** Two replicas or more, the provider's sandbox, which sends its webhooks to the first of them, and a database for each side. */
export class World {
  private constructor(
    readonly replicas: readonly Piece[],
    readonly sandbox: Piece,
    private readonly admin: Client,
  ) {}

  static async start(server: Keeper, scripts: Scripts, env: Record<string, string>): Promise<World> {
    const name = `storm_${process.pid}_${Math.random().toString(36).slice(2)}`;
    const [databaseUrl, sandboxDatabaseUrl] = [server.url(name), server.url(`${name}_sandbox`)];
    await server.create(name);
    const rolesBy = (entry: number): Record<string, string> => ({
      DATABASE_URL: server.url(name, 'api', entry),
      DATABASE_BACKGROUND_URL: server.url(name, 'background', entry),
      DATABASE_OWNER_URL: databaseUrl,
    });
    await prepareDatabase(parseConfig({ ...REPLICA_ENV, ...rolesBy(0) }));
    await server.spread(name);
    const admin = new Client({ connectionString: databaseUrl, application_name: 'storm' });
    // Without an ear for it, a server that is stopped after something failed would hide what failed.
    admin.on('error', () => undefined);
    await admin.connect();

    const sandboxEnv = { LOG_LEVEL: 'info', SANDBOX_DATABASE_URL: sandboxDatabaseUrl, PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET };
    const quiet = new Piece('the sandbox', scripts.sandbox, 'SANDBOX_PORT', sandboxEnv);
    await quiet.start();
    const envBy = (entry: number): Record<string, string> => ({ ...REPLICA_ENV, ...rolesBy(entry), PROVIDER_URL: quiet.url, ...env });
    const replicas = server.entries.map((entry, n) => new Piece(`replica ${n + 1}`, scripts.replica, 'PORT', envBy(entry)));
    await Promise.all(replicas.map((replica) => replica.start()));
    // Only now is it known where the webhooks go.
    const webhooks = { PROVIDER_WEBHOOK_URL: `${replicas[0]?.url}/v1/provider/webhooks` };
    const sandbox = new Piece('the sandbox', scripts.sandbox, 'SANDBOX_PORT', { ...sandboxEnv, ...webhooks });
    sandbox.url = quiet.url;
    await quiet.kill();
    await sandbox.start();
    return new World(replicas, sandbox, admin);
  }

  async query<R>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.admin.query(text, values)).rows as R[];
  }

  async setFaults(faults: Faults & { seed?: number }): Promise<void> {
    const answer = await fetch(`${this.sandbox.url}/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(faults),
    });
    if (!answer.ok) throw new Error(`the sandbox takes no faults: ${await answer.text()}`);
  }

  get surprises(): string[] {
    return [...this.replicas, this.sandbox].flatMap((piece) => piece.surprises);
  }

  /** All that its processes have written so far. */
  get written(): string {
    return [...this.replicas, this.sandbox].map((piece) => piece.written).join('');
  }

  async close(): Promise<void> {
    await Promise.all([...this.replicas, this.sandbox].map((piece) => piece.kill()));
    await this.admin.end();
  }
}
