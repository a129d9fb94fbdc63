import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import type { ApiProcess } from '../../support/process.js';
import type { Boundary, Gates } from './boundaries.js';
import { PayingClient } from './client.js';
import { TIMES, type CrashWorld, type Payment } from './crash-world.js';
import { DatabaseGate, type Held } from './database-gate.js';
import { ProviderGate } from './provider-gate.js';

/** What happens to the replica that has a payment in its hands. */
export const STRIKES = ['kill -9', 'SIGSTOP past the lease', 'connection cut', 'PostgreSQL immediate restart'] as const;
export type Strike = (typeof STRIKES)[number];

/** What the client does once its first try is lost. */
export const CLIENTS = ['retries', 'never returns'] as const;

export interface Cell {
  boundary: Boundary;
  client: (typeof CLIENTS)[number];
  strike: Strike;
}

/** One cell as it ended. */
export interface CellEnd {
  /** Their statuses. */
  payments: string[];
  /** How many charges the provider has. */
  charges: number;
  order: string;
  records: { status: string; responseStatus: number; body: string; attempt: number }[];
  /** Every final answer that the client got. */
  answers: { status: number; text: string }[];
  /** From the strike on; undefined where nothing of the payment was left that could become final. */
  finalAfterMs: number | undefined;
}

/** How long an operation may take after the strike: what the design promises, and what a machine with other things to do adds. */
const SLACK = 15_000;
const FINAL_WITHIN = TIMES.lease + TIMES.timeout + TIMES.interval + SLACK;

/** A payment that is held at its boundary. */
interface HeldPayment extends Payment {
  cell: Cell;
  client: PayingClient;
  firstTry: Promise<unknown>;
  held: Held;
}

/**
 * Brings a payment to each boundary twice, all on one replica, strikes it, and follows what becomes of them with another
 * replica beside it and with those clients that come back.
 */
export async function runRound(world: CrashWorld, strike: Strike, boundaries: readonly Boundary[]): Promise<[Cell, CellEnd][]> {
  const database = await DatabaseGate.start(world.databaseUrl);
  const provider = await ProviderGate.start(world.sandboxUrl);
  const replicas = [];
  try {
    const victim = await world.startReplica(database.url, provider.url);
    replicas.push(victim);
    const survivor = await world.startReplica(world.databaseUrl, world.sandboxUrl);
    replicas.push(survivor);
    const gates = { databaseUrl: world.databaseUrl, database, provider };
    const cells = boundaries.flatMap((boundary) => CLIENTS.map((client) => ({ boundary, client, strike })));
    const payments = [];
    for (const cell of cells) payments.push({ cell, ...(await world.placeOrder(survivor)) });
    const held = await Promise.all(payments.map(({ cell, ...payment }) => bringTo(cell, payment, gates, victim)));
    return await new Round(world, strike, held, victim, survivor).run();
  } finally {
    for (const replica of replicas) replica.signal('SIGKILL');
    await Promise.all([...replicas.map((replica) => replica.ended), database.close(), provider.close()]);
  }
}

async function bringTo(cell: Cell, payment: Payment, gates: Gates, victim: ApiProcess): Promise<HeldPayment> {
  const { reached } = await cell.boundary.arm(gates, payment);
  const client = new PayingClient(payment);
  const firstTry = client.try(victim);
  const held = await Promise.race([reached, firstTry.then(() => undefined), sleep(TIMES.timeout, undefined, { ref: false })]);
  if (!held) throw new Error(`the payment never came to be ${cell.boundary.name}`);
  return { ...payment, cell, client, firstTry, held };
}

class Round {
  private readonly struckAt = performance.now();
  private readonly finalAt = new Map<string, number>();

  constructor(
    private readonly world: CrashWorld,
    private readonly strike: Strike,
    private readonly payments: HeldPayment[],
    private readonly victim: ApiProcess,
    private readonly survivor: ApiProcess,
  ) {}

  async run(): Promise<[Cell, CellEnd][]> {
    const hit = this.hit();
    const open = this.strike === 'kill -9' || this.strike === 'SIGSTOP past the lease' ? [this.survivor] : [this.survivor, this.victim];
    const clients = this.payments.map(async ({ cell, client }) => {
      if (cell.client === 'retries') await client.retryUntilFinal(open, FINAL_WITHIN);
      else client.leave();
    });
    await Promise.all([hit, this.untilFinal(hit), ...clients]);
    await Promise.all(this.payments.map(({ firstTry }) => firstTry));
    const charged = await this.world.chargedAmounts();
    return Promise.all(this.payments.map(async (payment): Promise<[Cell, CellEnd]> => [payment.cell, await this.endOf(payment, charged)]));
  }

  private async hit(): Promise<void> {
    const releaseAll = (): void => this.payments.forEach(({ held }) => held.release());
    switch (this.strike) {
      case 'kill -9':
        await this.victim.kill('SIGKILL');
        return releaseAll();
      case 'connection cut':
        return this.payments.forEach(({ held }) => held.cut());
      case 'PostgreSQL immediate restart':
        return this.world.restartServer(releaseAll);
      case 'SIGSTOP past the lease':
        this.victim.signal('SIGSTOP');
        releaseAll();
        await sleep(TIMES.lease);
        await this.untilTakenOver();
        this.victim.signal('SIGCONT');
    }
  }

  /**
   * The other replica has finished what was committed; the stopped one will wake up with all of it in its hands. What its
   * own open transaction has locked, nobody can take over before that.
   */
  private async untilTakenOver(): Promise<void> {
    const left = `SELECT FROM idempotency_records WHERE status = 'running' FOR KEY SHARE SKIP LOCKED`;
    await eventually('the other replica to finish the rest', async () => (await this.world.query(left)).length === 0, FINAL_WITHIN);
  }

  /** Notes when each record is final. A payment without one is final when no transaction is open any more that could make it. */
  private async untilFinal(hit: Promise<void>): Promise<void> {
    let over = false;
    void hit.then(() => (over = true));
    const deadline = performance.now() + FINAL_WITHIN;
    for (let quiet = 0; quiet < 5 && performance.now() < deadline; await sleep(50)) {
      // While PostgreSQL restarts there is no answer.
      const busy = await this.look().catch(() => true);
      quiet = busy || !over ? 0 : quiet + 1;
    }
  }

  private async look(): Promise<boolean> {
    const records = await this.world.query<{ key: string; status: string }>(
      `SELECT key, status FROM idempotency_records WHERE operation = 'POST /v1/payments'`,
    );
    for (const { key, status } of records) {
      if (status === 'completed' && !this.finalAt.has(key)) this.finalAt.set(key, performance.now());
    }
    const transactions = await this.world.query(
      `SELECT FROM pg_stat_activity WHERE application_name = 'holdfast' AND (state LIKE 'idle in transaction%' OR wait_event_type = 'Lock')`,
    );
    const expected = this.payments.filter(({ cell }) => cell.client === 'retries');
    return (
      transactions.length > 0 || records.some(({ status }) => status === 'running') || expected.some(({ key }) => !this.finalAt.has(key))
    );
  }

  private async endOf({ key, orderUuid, amount, client }: HeldPayment, charged: number[]): Promise<CellEnd> {
    const [order] = await this.world.query<{ status: string }>('SELECT status FROM orders WHERE id = $1', [orderUuid]);
    const payments = await this.world.query<{ status: string }>('SELECT status FROM payments WHERE order_id = $1', [orderUuid]);
    const records = await this.world.query<CellEnd['records'][number]>(
      `SELECT status, response_status AS "responseStatus", convert_from(response_body, 'UTF8') AS body, attempt
         FROM idempotency_records WHERE key = $1`,
      [key],
    );
    const finalAt = this.finalAt.get(key);
    return {
      payments: payments.map(({ status }) => status),
      charges: charged.filter((other) => other === amount).length,
      order: order?.status ?? 'missing',
      records,
      answers: client.answers,
      finalAfterMs: finalAt === undefined ? undefined : finalAt - this.struckAt,
    };
  }
}
