import { Client } from 'pg';
import type { EmbeddedPostgres } from '../local/embedded-postgres.js';
import { TemporaryPostgres } from '../local/temporary-postgres.js';
import { parseConfig } from '../src/kernel/config.js';
import { prepareDatabase } from '../src/prepare-database.js';
import { HOLDFAST } from './context.js';
import { API_KEY, OTHER_API_KEY, PRODUCTS } from './requests.js';
import { Service } from './service.js';

const KEYS = { DEMO_API_KEY: API_KEY, DEMO_API_KEY_B: OTHER_API_KEY };

/** Both accounts of the demo keys have so many more products, and enough of each. */
const ADD_PRODUCTS = `
  INSERT INTO products (account_id, id, name, unit_price, currency, stock)
  SELECT a.id, 'bench-' || lpad(n::text, 4, '0'), 'Bench product', 1000, 'EUR', 1000000000
    FROM accounts a, generate_series(0, $1 - 1) n`;

/**
 * Tables that are empty make other plans, and autovacuum, than those of a service that has run for a while: what is known to be empty
 * is read as a whole, also once it has thousands of rows, until they are counted.
 */
const BASE_ROWS = `
  WITH base AS MATERIALIZED (
    SELECT a.id AS account_id, gen_random_uuid() AS id, now() - n * interval '0.1 seconds' AS at, n
      FROM (SELECT id FROM accounts ORDER BY id LIMIT 1) a, generate_series(1, $1) n),
  orders AS (
    INSERT INTO orders (account_id, id, status, currency, total, metadata, created_at, updated_at)
    SELECT account_id, id, 'pending', 'EUR', 2000, '{}', at, at FROM base),
  items AS (
    INSERT INTO order_items (account_id, order_id, line_no, product_id, name, quantity, unit_price)
    SELECT account_id, id, line, 'bench-' || lpad(((n + line) % 1000)::text, 4, '0'), 'Bench product', 1, 1000
      FROM base, generate_series(1, 2) line),
  payments AS (
    INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, created_at, updated_at)
    SELECT account_id, gen_random_uuid(), id, gen_random_uuid(), 'succeeded', 2000, 'EUR', 'tok_visa', 'base-' || id, at, at
      FROM base WHERE n % 10 = 0)
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status, response_headers,
                                   response_body, window_ms, created_at, completed_at, expires_at)
  SELECT account_id, 'base-' || id, gen_random_uuid(), 'POST /v1/orders', sha256(id::text::bytea), 'completed', 201, '{}',
         convert_to(repeat('x', 450), 'UTF8'), 86400000, at, at, now() + interval '1 day' FROM base`;

/** A durable PostgreSQL in a temporary directory with a database as the service has it after some time, and what runs on it. */
export class World {
  /** Begins to start with the world; `prepare` waits for it. */
  private readonly temporary: TemporaryPostgres;
  private readonly running: { stop(): void | Promise<void> }[] = [];
  private server: EmbeddedPostgres | undefined;
  private ending: Promise<void> | undefined;

  /** `flags`: more arguments for the server. */
  constructor(flags: readonly string[] = []) {
    this.temporary = new TemporaryPostgres('bench', ['holdfast', 'holdfast_sandbox'], flags);
  }

  /** Goes with the world. */
  get directory(): string {
    return this.temporary.directory;
  }

  /** Makes the tables, the accounts of both keys, their products, and so many orders with their records, every tenth paid. */
  async prepare(baseRows: number): Promise<void> {
    this.server = await this.temporary.ready;
    await prepareDatabase(parseConfig({ ...this.databases('holdfast'), ...KEYS }));
    await this.query(ADD_PRODUCTS, [PRODUCTS]);
    await this.query(BASE_ROWS, [baseRows]);
    await this.query('VACUUM ANALYZE');
    await this.query('CHECKPOINT');
  }

  /** @throws Error before the server runs */
  get postgres(): EmbeddedPostgres {
    if (!this.server) throw new Error('PostgreSQL does not run yet');
    return this.server;
  }

  /** The variables that name a database, each role by its own address. */
  databases(name: string): Record<'DATABASE_URL' | 'DATABASE_BACKGROUND_URL' | 'DATABASE_OWNER_URL', string> {
    const { postgres } = this;
    return {
      DATABASE_URL: postgres.url(name, 'api'),
      DATABASE_BACKGROUND_URL: postgres.url(name, 'background'),
      DATABASE_OWNER_URL: postgres.url(name),
    };
  }

  /** The variables where one role, the tables' owner, does all: row-level security does not act on it. */
  oneRole(): Record<string, string> {
    const url = this.postgres.url('holdfast');
    return { DATABASE_URL: url, DATABASE_BACKGROUND_URL: url, DATABASE_OWNER_URL: url };
  }

  /** The variables that name the database to a script: the service uses it by its roles, what it is compared with as the owner. */
  addressesFor(script: string): Record<string, string> {
    return script === HOLDFAST ? this.databases('holdfast') : { DATABASE_URL: this.postgres.url('holdfast') };
  }

  /** Starts a service on this database, `before` it a module, and waits until it serves. It ends with the world, if not earlier. */
  start(name: string, script: string, env: Record<string, string> = {}, before?: string): Promise<Service> {
    const service = new Service(name, script, { ...this.addressesFor(script), ...KEYS, RATE_LIMIT: '1000000/1s', ...env }, before);
    return this.keep(service).ready();
  }

  /** Hands over something that ends with the world. */
  keep<T extends { stop(): void | Promise<void> }>(something: T): T {
    this.running.push(something);
    if (this.ending) void something.stop();
    return something;
  }

  /** One statement on a connection of its own. */
  query<R>(text: string, values: unknown[] = []): Promise<R[]> {
    return query(this.postgres.url('holdfast'), text, values);
  }

  /** Ends all that runs and removes the directory. May be called at any time, and again. */
  end(): Promise<void> {
    this.ending ??= this.endAll();
    return this.ending;
  }

  private async endAll(): Promise<void> {
    await Promise.all(this.running.map(async (one) => one.stop()));
    await this.temporary.end();
  }
}

/** A connection without the limits that the API's sessions have. It survives that the server is stopped. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, options: '-c statement_timeout=0' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** One statement on a connection of its own. */
export async function query<R>(url: string, text: string, values: unknown[] = []): Promise<R[]> {
  const client = await connect(url);
  try {
    return (await client.query(text, values)).rows as R[];
  } finally {
    await client.end();
  }
}
