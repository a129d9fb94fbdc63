import { buildSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { KEY_A, send, startWorld, type TestApp, type TestRequest, type TestResponse, type World } from './app.js';
import { createDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { addProduct } from './ledger.js';
import { hold, type Hold } from './locks.js';

/** The secret that the world's app expects the provider's webhooks to be signed with. */
export const WEBHOOK_SECRET = `whsec_${Buffer.from('the secret of the payment tests').toString('base64')}`;

/** Headers of a request that waits for its final answer. */
export const WAIT = { prefer: 'wait=20' };

/** Short times, so that what waits for a deadline or a lease doesn't wait long; but a payment that nothing delays is final in time on a busy machine, too. */
const QUICK = {
  PROVIDER_TIMEOUT: '1500ms',
  IDEMPOTENCY_LEASE: '3s',
  IDEMPOTENCY_RECOVERY_INTERVAL: '200ms',
  PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET,
};

/** What a key comes to in the end, however often its client is told to come back: a lease that runs out, on a busy machine. */
export function untilFinal(send: () => Promise<TestResponse>): Promise<TestResponse> {
  return eventually(
    'a final answer',
    async () => {
      const answer = await send();
      return answer.status !== 202 && answer.body['retry'] !== 'same-key' && answer;
    },
    30_000,
  );
}

export interface LedgerCharge {
  id: string;
  key: string;
  reference: string;
  amount: number;
  currency: string;
  source: string;
  createdAt: string;
}

export interface LedgerRefund {
  id: string;
  chargeId: string;
  key: string;
  reference: string;
  amount: number;
  currency: string;
  createdAt: string;
}

/** Everything that the provider did and was asked. */
export interface ProviderLedger {
  charges: LedgerCharge[];
  refunds: LedgerRefund[];
  requests: { method: string; path: string; key: string | null; reference: string | null; at: string }[];
}

/** An order as `placeOrder` made it; `total` is its own, so that the ledger's charges of it are known by their amount. */
export interface PlacedOrder {
  id: string;
  total: number;
  currency: string;
  productId: string;
}

/** Where an order and its money stand, here and at the provider. */
export interface OrderState {
  order: string;
  /** Statuses, oldest first. */
  payments: string[];
  /** Of all payments together. */
  amountRefunded: number;
  /** How many charges of it the provider has. */
  charges: number;
  /** What the provider gave back. */
  refunded: number;
}

/** A provider of its own in this process. */
export interface WorldSandbox {
  /** Stays the same over `restart`. */
  url: string;
  database: TestDatabase;
  /** Charges and refunds wait from now on until `release`, before they take effect; look-ups and the ledger don't. */
  hold(): Promise<Hold>;
}

type PayOptions = Pick<TestRequest, 'key' | 'headers' | 'as'> & { amount?: number; currency?: string; on?: Pick<TestApp, 'url'> };
type ActOptions = Pick<TestRequest, 'key' | 'headers' | 'as' | 'body'> & { on?: Pick<TestApp, 'url'> };

/** A replica, its database, and a provider with a database of its own. */
export interface PaymentWorld extends World {
  sandbox: WorldSandbox;
  /** The variables that further replicas, also those in processes of their own, need beside DATABASE_URL. */
  env: Record<string, string>;
  ledger(): Promise<ProviderLedger>;
  chargesOf(order: PlacedOrder): Promise<LedgerCharge[]>;
  refundsOf(order: PlacedOrder): Promise<LedgerRefund[]>;
  stateOf(order: PlacedOrder): Promise<OrderState>;
  /** Sets the provider's faults; none are left over from before. */
  faults(faults: Record<string, number>): Promise<void>;
  /** Ends the provider and starts it again on the same port and database, without faults; `webhooks`: it sends events to the replica. */
  restartSandbox(options?: { webhooks?: boolean }): Promise<void>;
  /** Ends the provider: connections are refused until `restartSandbox`. */
  stopSandbox(): Promise<void>;
  /** As if a recovery interval had passed: what is parked may be asked for again. The recoverer's own time stays. */
  passInterval(): Promise<void>;
  placeOrder(options?: { total?: number; as?: string }): Promise<PlacedOrder>;
  pay(order: PlacedOrder, source?: string, options?: PayOptions): Promise<TestResponse>;
  refund(paymentId: string, body?: unknown, options?: ActOptions): Promise<TestResponse>;
  cancel(order: Pick<PlacedOrder, 'id'>, options?: ActOptions): Promise<TestResponse>;
}

/** One world and a second replica of it for all tests of a file, told once they stand; no faults are left to the next test. */
export function useTwoReplicas(tell: (world: PaymentWorld, replica: TestApp) => void): void {
  let world: PaymentWorld;
  beforeAll(async () => {
    world = await startPaymentWorld();
    tell(world, await world.secondApp());
  });
  afterEach(() => world.faults({}));
  afterAll(() => world.close());
}

let price = 1_000;

/** Starts a provider and a replica that uses it; `env` overrides the replica's configuration. */
export async function startPaymentWorld(env: Record<string, string> = {}): Promise<PaymentWorld> {
  const sandboxDatabase = await createDatabase();
  const startSandbox = async (port: number, webhook?: SandboxOptions['webhook']): Promise<{ running: Sandbox; url: string }> => {
    const running = await buildSandbox({ databaseUrl: sandboxDatabase.url, ...(webhook && { webhook }) });
    return { running, url: await running.listen(port, '127.0.0.1') };
  };
  const first = await startSandbox(0);
  const sandboxUrl = first.url;
  let running: Sandbox | undefined = first.running;
  const stopSandbox = async (): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.close();
  };
  const worldEnv = { ...QUICK, PROVIDER_URL: sandboxUrl, ...env };
  const app = await startWorld(worldEnv);
  const { database } = app;

  const ledger = async (): Promise<ProviderLedger> => (await fetch(`${sandboxUrl}/ledger`)).json() as Promise<ProviderLedger>;
  const chargesOf = async (order: PlacedOrder): Promise<LedgerCharge[]> =>
    (await ledger()).charges.filter(({ amount }) => amount === order.total);
  const refundsOf = async (order: PlacedOrder): Promise<LedgerRefund[]> => {
    const { charges, refunds } = await ledger();
    const ids = new Set(charges.filter(({ amount }) => amount === order.total).map(({ id }) => id));
    return refunds.filter(({ chargeId }) => ids.has(chargeId));
  };
  const act = (path: string, { on = app, ...request }: ActOptions): Promise<TestResponse> => send(on.url, 'POST', path, request);

  return {
    ...app,
    env: worldEnv,
    sandbox: {
      url: sandboxUrl,
      database: sandboxDatabase,
      // The look-up of an earlier result under the key still works; what writes an effect waits.
      hold: () => hold(sandboxDatabase, 'LOCK TABLE charges, refunds, results IN EXCLUSIVE MODE'),
    },
    ledger,
    chargesOf,
    refundsOf,
    stateOf: async (order) => {
      const [row] = await database.query<Pick<OrderState, 'order' | 'payments' | 'amountRefunded'>>(
        `SELECT o.status AS order, coalesce(array_agg(p.status ORDER BY p.id) FILTER (WHERE p.id IS NOT NULL), '{}') AS payments,
                coalesce(sum(p.amount_refunded), 0)::float8 AS "amountRefunded"
           FROM orders o LEFT JOIN payments p ON p.account_id = o.account_id AND p.order_id = o.id WHERE o.id = $1 GROUP BY o.status`,
        [uuidOf('ord', order.id)],
      );
      if (!row) throw new Error('there is no such order');
      const refunds = await refundsOf(order);
      return { ...row, charges: (await chargesOf(order)).length, refunded: refunds.reduce((sum, { amount }) => sum + amount, 0) };
    },
    faults: async (faults) => {
      const answer = await fetch(`${sandboxUrl}/faults`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(faults),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    restartSandbox: async ({ webhooks = false } = {}) => {
      await stopSandbox();
      const webhook = webhooks ? { url: `${app.url}/v1/provider/webhooks`, secret: WEBHOOK_SECRET } : undefined;
      ({ running } = await startSandbox(Number(new URL(sandboxUrl).port), webhook));
    },
    stopSandbox,
    passInterval: async () => {
      await database.query(
        `UPDATE idempotency_records SET resumable_at = clock_timestamp() WHERE status = 'running' AND lease_until IS NULL`,
      );
    },
    placeOrder: async ({ total = (price += 1), as = KEY_A } = {}) => {
      const [row] = await database.query<{ account_id: string }>('SELECT account_id FROM api_keys WHERE id = $1', [as.split('_')[2]]);
      const productId = await addProduct(database, { unitPrice: total, ...(row && { accountId: row.account_id }) });
      const answer = await app.send('POST', '/v1/orders', { as, body: { items: [{ productId, quantity: 1 }] } });
      if (answer.status !== 201) throw new Error(`the order was not placed: ${answer.text}`);
      return { id: String(answer.body['id']), total, currency: 'EUR', productId };
    },
    pay: (order, source = 'tok_visa', { amount = order.total, currency = order.currency, ...options } = {}) =>
      act('/v1/payments', { ...options, body: { orderId: order.id, amount, currency, source } }),
    refund: (paymentId, body = {}, options = {}) => act(`/v1/payments/${paymentId}/refunds`, { body, ...options }),
    cancel: (order, options = {}) => act(`/v1/orders/${order.id}/cancel`, { body: {}, ...options }),
    close: async () => {
      await app.close();
      await stopSandbox();
      await sandboxDatabase.drop();
    },
  };
}
