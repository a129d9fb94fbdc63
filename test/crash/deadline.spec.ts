import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { uuidOf } from '../../src/kernel/ids.js';
import type { TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf, stockOf } from '../support/ledger.js';
import { WAIT, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { BOUNDARIES, type Boundary } from './support/boundaries.js';
import type { Held } from './support/database-gate.js';
import { startDoomedWorld, type DoomedWorld } from './support/victim.js';

/** Long enough that each payment comes to its boundary before the deadline, in milliseconds. */
const DEADLINE_MS = 6_000;
/** Until whoever comes back gets a final answer: a lease, and a busy machine. */
const FINAL_MS = 30_000;

const CLIENTS = ['retries', 'never returns'] as const;

interface Cell {
  boundary: Boundary;
  client: (typeof CLIENTS)[number];
  order: PlacedOrder;
  key: string;
  held: Held;
}

let doomed: DoomedWorld;
let world: PaymentWorld;
let cells: Cell[];
let answers: Map<Cell, TestResponse>;

/** Brings payments to every boundary before their deadline, kills who holds them after it, and lets another replica go on. */
beforeAll(async () => {
  doomed = await startDoomedWorld({ DB_POOL_SIZE: '24' });
  const { victim, database, provider } = doomed;
  ({ world } = doomed);
  const wanted = [];
  for (const boundary of BOUNDARIES) for (const client of CLIENTS) wanted.push({ boundary, client, order: await world.placeOrder() });
  const deadline = new Date(Date.now() + DEADLINE_MS);
  const headers = { 'request-deadline': deadline.toUTCString() };
  const gates = { databaseUrl: world.database.url, database, provider };
  cells = await Promise.all(
    wanted.map(async (cell) => {
      const key = uuidv7();
      const subject = { key, orderUuid: uuidOf('ord', cell.order.id) ?? '', amount: cell.order.total };
      const { reached } = await cell.boundary.arm(gates, subject);
      void world.pay(cell.order, 'tok_visa', { key, headers, on: victim }).catch(() => undefined);
      const held = await Promise.race([reached, sleep(DEADLINE_MS, undefined, { ref: false })]);
      if (!held) throw new Error(`the payment never came to be ${cell.boundary.name}`);
      return { ...cell, key, held };
    }),
  );
  await sleep(Math.max(0, deadline.getTime() - Date.now()) + 500);
  await victim.kill('SIGKILL');
  for (const { held } of cells) held.release();
  // Nobody waits for the lease of a process that is dead.
  await world.database.query(`UPDATE idempotency_records SET lease_until = now(), next_run_at = now() WHERE status = 'running'`);
  answers = new Map(
    await Promise.all(
      cells
        .filter(({ client }) => client === 'retries')
        .map(async (cell): Promise<[Cell, TestResponse]> => [cell, await finalAnswer(cell, headers)]),
    ),
  );
  await eventually(
    'nothing to be unfinished',
    async () => (await countOf(world.database, 'idempotency_records', `status = 'running'`)) === 0,
  );
}, 120_000);
afterAll(() => doomed.close());

async function finalAnswer({ order, key }: Cell, headers: Record<string, string>): Promise<TestResponse> {
  const ends = performance.now() + FINAL_MS;
  for (;;) {
    const answer = await world.pay(order, 'tok_visa', { key, headers: { ...headers, prefer: 'wait=5' } });
    if ((answer.status !== 202 && answer.body['retry'] !== 'same-key') || performance.now() > ends) return answer;
    await sleep(100);
  }
}

const cellOf = (name: string, client: string): Cell => {
  const cell = cells.find(({ boundary, client: who }) => boundary.name === name && who === client);
  if (!cell) throw new Error('there is no such cell');
  return cell;
};

/** What the provider has charged and given back of an order, by where its payment was. Only one that had its outcome before the deadline is paid. */
const CHARGED: Record<string, 0 | 1 | 'paid' | 'one or the other'> = {
  'before the claim': 0,
  'after the claim': 0,
  'inside the first commit': 0,
  'after the first commit': 0,
  'before the call': 0,
  'charged, the answer lost': 1,
  'after the answer': 1,
  // The server goes on with a COMMIT that has come, unless it notices first that its client is gone.
  'inside the settling commit': 'one or the other',
  'after it, before the reply': 'paid',
};

describe.each(BOUNDARIES.map(({ name }) => name))('kill -9 %s, after the deadline', (name) => {
  it.each(CLIENTS)('the client %s: the net effect is zero, or the one payment that was known in time', async (client) => {
    const cell = cellOf(name, client);
    const { order } = cell;
    const state = await world.stateOf(order);
    const stated = CHARGED[name];
    const expected = stated === 'one or the other' ? (state.order === 'paid' ? 'paid' : 1) : stated;
    if (expected === 'paid') {
      expect(state).toEqual({ order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 });
      if (client === 'retries') expect(answers.get(cell)?.status).toBe(201);
      return;
    }
    const given = (expected ?? 0) * order.total;
    expect(state).toMatchObject({ order: 'pending', amountRefunded: given, charges: expected, refunded: given });
    expect(state.payments.filter((status) => status !== 'failed')).toEqual([]);
    expect(await stockOf(world.database, order.productId)).toBe(999);
    if (client === 'retries') expect(answers.get(cell)).toMatchObject({ status: 409, body: { code: 'deadline-passed' } });
    // It can be paid under a new key, once.
    expect((await world.pay(order, 'tok_visa', { headers: WAIT })).status).toBe(201);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', charges: (expected ?? 0) + 1, refunded: given });
  });
});
