import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../local/embedded-postgres.js';
import { buildSandbox, type Sandbox } from '../../../sandbox/sandbox.js';
import { uuidOf } from '../../../src/kernel/ids.js';
import { temporaryDirectory } from '../../local/checkout.js';
import { createDatabase, on, type TestDatabase, prepare } from '../../support/database.js';
import { addProduct } from '../../support/ledger.js';
import { startProcess, type ApiProcess } from '../../support/process.js';
import { COMMIT_TRIGGERS, type Subject } from './boundaries.js';

/** Milliseconds. Long enough that nothing runs out while eighteen payments take their places, which took over 8 s where four jobs shared a core. */
export const TIMES = { timeout: 20_000, lease: 21_000, interval: 200 };

const REPLICA_ENV = {
  PROVIDER_TIMEOUT: `${TIMES.timeout}ms`,
  IDEMPOTENCY_LEASE: `${TIMES.lease}ms`,
  IDEMPOTENCY_RECOVERY_INTERVAL: `${TIMES.interval}ms`,
  // Seven of the nine boundaries keep a connection, twice each.
  DB_POOL_SIZE: '20',
};

/** A payment that is to be made. */
export interface Payment extends Subject {
  body: unknown;
}

/** A PostgreSQL of the test's own, which it may restart, and a provider on another server, to which nothing happens. */
export class CrashWorld {
  sandboxUrl = '';
  private readonly directory = temporaryDirectory();
  private postgres: EmbeddedPostgres;
  private sandbox: Sandbox;
  private sandboxDatabase: TestDatabase;
  private price = 1_000;

  async start(): Promise<void> {
    await this.startServer(0);
    await prepare(this.databaseUrl);
    await this.query(COMMIT_TRIGGERS);
    this.sandboxDatabase = await createDatabase();
    this.sandbox = await buildSandbox({ databaseUrl: this.sandboxDatabase.url });
    this.sandboxUrl = await this.sandbox.listen(0, '127.0.0.1');
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.sandboxDatabase.drop();
    await this.postgres.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  get databaseUrl(): string {
    return this.postgres.url('holdfast');
  }

  /** Runs one statement on a connection of its own. */
  readonly query = <R = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]> => on<R>(this.databaseUrl, text, values);

  /** What `pg_ctl stop -m immediate` sends: no checkpoint, no goodbye; the next start recovers from the log. `meanwhile` runs while it is down. */
  async restartServer(meanwhile: () => void): Promise<void> {
    process.kill(this.postgres.pid, 'SIGQUIT');
    await this.postgres.exited;
    meanwhile();
    await this.startServer(this.postgres.port);
  }

  /** A replica that has made a payment already, so that it meets nothing for the first time. */
  async startReplica(databaseUrl: string, providerUrl: string): Promise<ApiProcess> {
    const replica = await startProcess(databaseUrl, { ...REPLICA_ENV, PROVIDER_URL: providerUrl });
    const { body } = await this.placeOrder(replica);
    const paid = await replica.send('POST', '/v1/payments', { body });
    if (paid.status !== 201) throw new Error(`a payment that nothing happens to failed: ${paid.text}`);
    return replica;
  }

  /** An order with an amount of its own, and the payment that is to be made of it. */
  async placeOrder(replica: ApiProcess): Promise<Payment> {
    this.price += 1;
    const amount = this.price;
    const productId = await addProduct(this, { unitPrice: amount });
    const placed = await replica.send('POST', '/v1/orders', { body: { items: [{ productId, quantity: 1 }] } });
    const orderId = String(placed.body['id']);
    const body = { orderId, amount, currency: 'EUR', source: 'tok_visa' };
    // A key that tells no time: one that looked old by its turn, on a slow machine, would be looked for first, in one packet with others'.
    return { key: randomUUID(), orderUuid: uuidOf('ord', orderId) ?? '', amount, body };
  }

  /** The amounts of all charges that the provider has made. */
  async chargedAmounts(): Promise<number[]> {
    const ledger = (await (await fetch(`${this.sandboxUrl}/ledger`)).json()) as { charges: { amount: number }[] };
    return ledger.charges.map(({ amount }) => amount);
  }

  private async startServer(port: number): Promise<void> {
    this.postgres = await startEmbeddedPostgres({ directory: join(this.directory, 'postgres'), port, databases: ['holdfast'] });
  }
}
