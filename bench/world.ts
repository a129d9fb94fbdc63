import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../local/embedded-postgres.js';
import { migrate } from '../src/database.js';
import { API_KEY, OTHER_API_KEY, PRODUCTS } from './requests.js';
import { Service } from './service.js';

/** Both accounts of the demo keys have so many more products, and enough of each. */
const ADD_PRODUCTS = `
  INSERT INTO products (account_id, id, name, unit_price, currency, stock)
  SELECT a.id, 'bench-' || lpad(n::text, 4, '0'), 'Bench product', 1000, 'EUR', 1000000000
    FROM accounts a, generate_series(0, $1 - 1) n`;

/** Tables that are empty make other plans, and autovacuum, than those of a service that has run for a while. */
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
      FROM base, generate_series(1, 2) line)
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status, response_headers,
                                   response_body, window_ms, created_at, completed_at, expires_at)
  SELECT account_id, 'base-' || id, gen_random_uuid(), 'POST /v1/orders', sha256(id::text::bytea), 'completed', 201, '{}',
         convert_to(repeat('x', 450), 'UTF8'), 86400000, at, at, now() + interval '1 day' FROM base`;

const BASE = 200_000;

/** A durable PostgreSQL in a temporary directory with a database as the service has it after some time, and services on it. */
export class World {
  private readonly services: Service[] = [];

  private constructor(
    readonly postgres: EmbeddedPostgres,
    readonly databaseUrl: string,
    private readonly directory: string,
  ) {}

  static async make({ baseRows = BASE }: { baseRows?: number } = {}): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
    // As root the server runs as another account, which must be able to enter.
    chmodSync(directory, 0o755);
    const postgres = await startEmbeddedPostgres({
      directory: join(directory, 'postgres'),
      port: 0,
      databases: ['holdfast', 'holdfast_sandbox'],
    });
    const databaseUrl = postgres.url('holdfast');
    const world = new World(postgres, databaseUrl, directory);
    try {
      await migrate(databaseUrl, databaseUrl);
      // The first start makes the demo accounts.
      await (await world.start('holdfast', '../src/main.js')).stop();
      await world.query(ADD_PRODUCTS, [PRODUCTS]);
      await world.query(BASE_ROWS, [baseRows]);
      await world.query('VACUUM ANALYZE');
      await world.query('CHECKPOINT');
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  async start(name: string, script: string, env: Record<string, string> = {}): Promise<Service> {
    const service = await Service.start(name, script, {
      DATABASE_URL: this.databaseUrl,
      DEMO_API_KEY: API_KEY,
      DEMO_API_KEY_B: OTHER_API_KEY,
      ...env,
    });
    this.services.push(service);
    return service;
  }

  /** One statement on a connection of its own, without the limits that the API's sessions have. */
  async query<R>(text: string, values: unknown[] = []): Promise<R[]> {
    const client = new Client({ connectionString: this.databaseUrl, options: '-c statement_timeout=0' });
    await client.connect();
    try {
      return (await client.query(text, values)).rows as R[];
    } finally {
      await client.end();
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
    await this.postgres.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
