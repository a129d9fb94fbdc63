import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { buildSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { send, type TestResponse } from '../support/app.js';
import { run } from '../support/built-process.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { WAIT, type ProviderLedger } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { ReplicatedDatabase } from '../support/replication.js';

const CLIENTS = 6;
const BEFORE = 25;
const LOST = 25;
const ITEMS = { items: [{ productId: '123', quantity: 1 }] };

/** A request under its key, and the final answer that its client got, if any. */
interface Sent {
  key: string;
  body: object;
  answer: TestResponse | undefined;
}

/** What is looked at of a body. */
interface Body {
  id: string;
  total: number;
  payment?: { id: string };
}

let servers: ReplicatedDatabase;
let books: TestDatabase;
let sandbox: Sandbox;
let env: Record<string, string>;
let replicas: ApiProcess[];
const orders: Sent[] = [];
const payments: Sent[] = [];

beforeAll(async () => {
  [servers, books] = [await ReplicatedDatabase.start(), await createDatabase()];
  sandbox = await buildSandbox({ databaseUrl: books.url });
  const url = await sandbox.listen(0, '127.0.0.1');
  env = {
    PROVIDER_URL: url,
    PROVIDER_TIMEOUT: '1500ms',
    IDEMPOTENCY_LEASE: '3s',
    IDEMPOTENCY_RECOVERY_INTERVAL: '200ms',
    DB_POOL_SIZE: '4',
  };
  replicas = [await startReplica(), await startReplica()];
}, 90_000);
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.kill('SIGKILL')));
  await sandbox.close();
  await books.drop();
  await servers.close();
});

const startReplica = (): Promise<ApiProcess> => startProcess(servers.database.url, env);
const isFinal = ({ status, body }: TestResponse): boolean => status !== 202 && body['retry'] !== 'same-key';
const succeeded = ({ answer }: Sent): boolean => answer?.status === 201;
const bodyOf = (answer: TestResponse | undefined): Body => (answer?.body ?? {}) as unknown as Body;
const ledger = async (): Promise<ProviderLedger> => (await fetch(`${env['PROVIDER_URL']}/ledger`)).json() as Promise<ProviderLedger>;

/** Sends until there is a final answer, or nobody wants it any more. */
async function follow(path: string, sent: Sent, on: readonly ApiProcess[], wanted: () => boolean): Promise<void> {
  for (let turn = 0; !sent.answer && wanted(); turn += 1) {
    const replica = on[turn % on.length];
    const answer = await send(replica?.url ?? '', 'POST', path, { key: sent.key, body: sent.body, headers: WAIT }).catch(() => undefined);
    if (answer && isFinal(answer)) sent.answer = answer;
    else await sleep(50);
  }
}

function begin(to: Sent[], body: object): Sent {
  const sent: Sent = { key: uuidv7(), body, answer: undefined };
  to.push(sent);
  return sent;
}

/** One client: orders, and pays what it has ordered. */
async function client(number: number, wanted: () => boolean): Promise<void> {
  const on = number % 2 === 0 ? replicas : replicas.toReversed();
  while (wanted()) {
    const order = begin(orders, ITEMS);
    await follow('/v1/orders', order, on, wanted);
    if (!succeeded(order)) continue;
    const { id, total } = bodyOf(order.answer);
    await follow('/v1/payments', begin(payments, { orderId: id, amount: total, currency: 'EUR', source: 'tok_visa' }), on, wanted);
  }
}

async function reconcile(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('src/payments/restore/reconcile.cli.js', args, { ...servers.database.env, ...env });
  expect([code, stderr]).toEqual([0, expect.anything()]);
  return stdout;
}

it('the primary dies under load and takes commits with it: payments wait for the books, and each key has one charge at most', async () => {
  let wanted = true;
  const load = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number, () => wanted)));
  await eventually('payments', () => payments.filter(succeeded).length >= BEFORE, 60_000);
  await servers.cutReplication();
  const kept = new Set(payments.filter(succeeded));
  await eventually('payments that will be lost', () => payments.filter(succeeded).length >= kept.size + LOST, 60_000);
  await servers.failOver();
  wanted = false;
  await load;
  const acknowledged = payments.filter(succeeded);

  // Orders go on, and no payment does, whoever asks.
  const fresh = begin(orders, ITEMS);
  await follow('/v1/orders', fresh, replicas, () => true);
  const { id: orderId, total: amount } = bodyOf(fresh.answer);
  const before = (await ledger()).charges.length;
  for (const replica of replicas) {
    const body = { orderId, amount, currency: 'EUR', source: 'tok_visa' };
    expectProblem(await replica.send('POST', '/v1/payments', { key: uuidv7(), body }), 'service-unavailable');
  }
  expect((await ledger()).charges.length).toBe(before);

  // Those that were in the standby and under way look whether they were charged; that is over before the books are compared.
  expect(await reconcile()).toMatch(/^payments: closed: they were opened for timeline \d+/m);
  await reconcile('adopt', '--all', '--note', 'the standby lacked them');
  await reconcile('refund', '--all', '--note', 'their orders are lost, too');
  expect(await reconcile('open', '--note', 'the books agree')).toBe('payments are open\n');

  // Everybody sends everything once more: to who remembers, and to who does not.
  replicas.push(await startReplica());
  const first = new Map(payments.map((sent) => [sent, sent.answer]));
  for (const sent of payments) {
    const answers: TestResponse[] = [];
    for (const replica of replicas) {
      sent.answer = undefined;
      await follow('/v1/payments', sent, [replica], () => true);
      answers.push(sent.answer as unknown as TestResponse);
    }
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  }

  const present = await servers.database.query<{ id: string }>(`SELECT 'ord_' || id AS id FROM orders`);
  const refundedAfter = payments.filter(
    ({ answer }) => (answer?.body['payment'] as { failureCode?: string })?.failureCode === 'refunded_after_restore',
  );
  for (const sent of acknowledged) {
    const { id } = bodyOf(first.get(sent));
    const now = bodyOf(sent.answer);
    // What was acknowledged is so still, or was given back because its order is gone.
    expect(refundedAfter.includes(sent) ? [sent.answer?.status, now.payment?.id] : [sent.answer?.status, now.id]).toEqual([
      refundedAfter.includes(sent) ? 402 : 201,
      id,
    ]);
  }
  expect(present.length).toBeGreaterThan(0);
  expect(refundedAfter.length).toBeGreaterThan(0);

  const { charges, refunds } = await ledger();
  expect(new Set(charges.map(({ reference }) => reference)).size).toBe(charges.length);
  const refunded = new Set(refunds.map(({ chargeId }) => chargeId));
  const paid = await servers.database.query<{ provider_reference: string }>(
    `SELECT provider_reference FROM payments WHERE status = 'succeeded' AND amount > 0`,
  );
  // Whatever is charged and not given back is a payment here.
  expect(paid.map((row) => row.provider_reference).toSorted()).toEqual(
    charges
      .filter(({ id }) => !refunded.has(id))
      .map(({ id }) => id)
      .toSorted(),
  );
  const twice = await servers.database.query(
    `SELECT FROM payments WHERE status = 'succeeded' GROUP BY account_id, order_id HAVING count(*) > 1`,
  );
  expect(twice).toEqual([]);
}, 240_000);
