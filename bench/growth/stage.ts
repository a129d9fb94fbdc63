import { escapeIdentifier } from 'pg';
import { parseConfig } from '../../src/kernel/config.js';
import type { Progress } from '../../src/kernel/progress.js';
import { prepareDatabase } from '../../src/prepare-database.js';
import { HOLDFAST } from '../context.js';
import { Loader, type Job, type JobResult } from '../loader.js';
import { API_KEY } from '../requests.js';
import type { Service } from '../service.js';
import { query, type World } from '../world.js';
import { FILL, type Filling } from './filling.js';

/** Orders that each database begins with. */
const BASE_ORDERS = 20_000;
const BATCH = 250_000;

/**
 * What the fillings copy: a record and an event that the service itself has written, so that their rows have its size. Tables that were
 * vacuumed while they were empty get plans that read all of them, as no table of a running service does: TRUNCATE leaves
 * them as a migration does.
 */
const MAKE_TEMPLATE = `
  CREATE TABLE sample AS SELECT * FROM idempotency_records WHERE key NOT LIKE 'base-%';
  CREATE TABLE sample_event AS SELECT * FROM events ORDER BY id DESC LIMIT 1;
  TRUNCATE events, idempotency_records, idempotency_archive, idempotency_replays, idempotency_timeline;
  CREATE EXTENSION pg_freespacemap;`;

/** One server with as many databases as the measurements want, and a process that makes load. */
export class Stage {
  private readonly loader: Loader;

  private constructor(
    private readonly world: World,
    readonly progress: Progress,
  ) {
    this.loader = world.keep(new Loader());
  }

  /** Makes the database that all others are copies of. What the stage starts ends with the world. */
  static async on(world: World, progress: Progress): Promise<Stage> {
    progress.step('a database to copy');
    await world.prepare(BASE_ORDERS);
    const stage = new Stage(world, progress);
    const api = await world.start('template', '../src/main.js');
    await stage.load(api, { connections: 1, amount: 1, traffic: { kind: 'fresh', keys: 'uuidv7' } });
    await api.stop();
    await world.query(MAKE_TEMPLATE);
    return stage;
  }

  get postmaster(): number {
    return this.world.postgres.pid;
  }

  /** Makes a database with accounts, products and some orders, without any record. */
  async database(name: string): Promise<Database> {
    const url = this.world.postgres.url(name);
    await this.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE holdfast`);
    // The limits of the API's role are settings of one database, which a copy of it doesn't have.
    await prepareDatabase(parseConfig(this.world.databases(name)));
    return new Database(name, url, this.world, this.progress);
  }

  load(service: Service, job: Pick<Job, 'connections' | 'amount' | 'traffic'>): Promise<JobResult> {
    return this.loader.run({ ...job, url: service.url, path: '/v1/orders', apiKey: API_KEY });
  }

  /** One statement in no particular database. */
  query<R>(text: string): Promise<R[]> {
    return query(this.world.postgres.url('postgres'), text);
  }
}

/** One database of the server. */
export class Database {
  private readonly services: Service[] = [];

  constructor(
    private readonly name: string,
    readonly url: string,
    private readonly world: World,
    private readonly progress: Progress,
  ) {}

  /** Starts a Holdfast on this database. It purges nothing unless `env` says so. */
  async start(env: Record<string, string> = {}): Promise<Service> {
    const settings = { ...this.world.databases(this.name), IDEMPOTENCY_PURGE_INTERVAL: '20d', ...env };
    const service = await this.world.start(this.name, HOLDFAST, settings);
    this.services.push(service);
    return service;
  }

  query<R>(text: string, values: unknown[] = []): Promise<R[]> {
    return query(this.url, text, values);
  }

  /** Inserts rows one after the other in order of their time, as the service would, and vacuums the tables. */
  async add({ into = ['idempotency_records'], count, keys, from, to }: Filling): Promise<void> {
    // Nothing of this would survive a crash of the machine, and nobody would want it to.
    await this.bulk('full_page_writes = off', `max_wal_size = '4GB'`);
    for (const table of into) {
      this.progress.step(`${this.name}: ${count} rows of ${table}`);
      for (let done = 0; done < count; done += BATCH) {
        this.progress.count(done, count, 'rows');
        await this.query(FILL[table], [done + 1, Math.min(done + BATCH, count), count, keys, from, to]);
      }
    }
    await this.bulk('full_page_writes = DEFAULT', 'max_wal_size = DEFAULT');
    if (count > 0) await this.query(`VACUUM ANALYZE ${into.join(', ')}`);
    await this.query('CHECKPOINT');
  }

  /** Ends its services and gives the room back. */
  async drop(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
    await query(this.world.postgres.url('postgres'), `DROP DATABASE ${escapeIdentifier(this.name)} WITH (FORCE)`);
  }

  private async bulk(...settings: string[]): Promise<void> {
    for (const setting of settings) await this.query(`ALTER SYSTEM SET ${setting}`);
    await this.query('SELECT pg_reload_conf()');
  }
}
