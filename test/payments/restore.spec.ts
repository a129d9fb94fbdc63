import { userInfo } from 'node:os';
import { v7 as uuidv7 } from 'uuid';
import { UsageError } from '../../src/kernel/cli.js';
import { publicId } from '../../src/kernel/ids.js';
import { readArguments } from '../../src/payments/restore/reconcile.arguments.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { auditWorld, namesOf } from '../support/audit.js';
import { ACCOUNT_A, countOf } from '../support/ledger.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';
import { BY, loseTo, promote, reconcile, reconciled, withReconciliation } from '../support/restores.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const NOTE = ['--note', 'checked by hand'];
const again = (order: PlacedOrder, key: string, on: Pick<TestApp, 'url'> = world): Promise<TestResponse> =>
  world.pay(order, 'tok_visa', { key, headers: WAIT, on });

/** Nothing is wrong, and the gate is open for the next test. */
async function allIsWell(): Promise<void> {
  await reconciled(world, 'refund');
  expect(namesOf(await auditWorld(world))).toEqual([]);
}

describe('on another server than the one that payments were opened for', () => {
  afterEach(allIsWell);

  it('payments, refunds and cancellations with refunds answer 503, store nothing, and ask nobody; orders and what is stored go on', async () => {
    const [paid, fresh] = [await world.placeOrder(), await world.placeOrder()];
    const key = uuidv7();
    const first = await again(paid, key);
    await promote(world);
    const asked = (await world.ledger()).requests.length;
    const records = await countOf(world.database, 'idempotency_records');
    const keys = { pay: uuidv7(), refund: uuidv7(), cancel: uuidv7() };
    for (const on of [world, replica]) {
      expectProblem(await again(fresh, keys.pay, on), 'service-unavailable');
      expectProblem(await world.refund(String(first.body['id']), {}, { key: keys.refund, on }), 'service-unavailable');
      expectProblem(await world.cancel(paid, { key: keys.cancel, on }), 'service-unavailable');
      expect((await again(paid, key, on)).text).toBe(first.text);
    }
    expect([(await world.ledger()).requests.length, await countOf(world.database, 'idempotency_records')]).toEqual([asked, records]);
    expect((await world.placeOrder()).id).toMatch(/^ord_/);
    const ready = await world.send('GET', '/health/ready');
    expect([ready.status, ready.body['info']]).toEqual([200, expect.objectContaining({ payments: { status: 'up', gate: 'closed' } })]);
    await reconciled(world, 'adopt');
    expect((await again(fresh, keys.pay)).status).toBe(201);
    expect((await world.refund(String(first.body['id']), { amount: 1 }, { key: keys.refund, headers: WAIT })).status).toBe(201);
  });

  it('a charge that was about to be sent is not, and its key may be sent again', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    // The claim's transaction has passed the gate when it is closed; its step has not.
    await world.database.query(`
      CREATE FUNCTION close_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE payments_gate SET timeline = timeline - 1; RETURN NULL; END $$;
      CREATE TRIGGER close_gate AFTER INSERT ON payments EXECUTE FUNCTION close_gate();
      ALTER FUNCTION close_gate() SECURITY DEFINER`);
    expectProblem(await again(order, key), 'service-unavailable');
    await world.database.query('DROP TRIGGER close_gate ON payments; DROP FUNCTION close_gate()');
    expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: [], charges: 0 });
    await reconciled(world, 'adopt');
    expect((await again(order, key)).status).toBe(201);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['succeeded'], charges: 1 });
  });

  it('while an order\u2019s payment is lost, the order can\u2019t be charged under a second key', async () => {
    const order = await world.placeOrder();
    const key = await loseTo(world, order);
    expectProblem(await again(order, uuidv7()), 'service-unavailable');
    await reconciled(world, 'adopt');
    expectProblem(await again(order, uuidv7()), 'order-not-payable');
    expect((await again(order, key)).status).toBe(201);
    expect((await world.chargesOf(order)).length).toBe(1);
  });
});

describe('a charge whose payment was lost', () => {
  afterEach(allIsWell);

  it('is listed with its owner, and keeps the gate shut', async () => {
    const order = await world.placeOrder();
    await loseTo(world, order);
    const { stdout } = await reconcile(world);
    const [charge] = await world.chargesOf(order);
    expect(stdout).toMatch(
      new RegExp(
        `^${charge?.id}  ${order.total} EUR  made \\S+  acct_\\w+  ${order.id}  pay_\\w+  op_\\w+  to be adopted or refunded$`,
        'm',
      ),
    );
    expect(stdout).toMatch(/^payments: closed: they were opened for timeline \d+ .*\nlost charges: 1\n$/m);
    const opened = withReconciliation(world, (reconciliation) => reconciliation.open(BY));
    await expect(opened).rejects.toThrow('1 charges have no payment here: adopt or refund them first.');
  });

  it('adopted, answers its key 201 on every replica, and the order is paid once', async () => {
    const order = await world.placeOrder();
    const key = await loseTo(world, order);
    await reconciled(world, 'adopt');
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['succeeded'], charges: 1 });
    const answers = await Promise.all([world, replica, world, replica].map((on) => again(order, key, on)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 201, body: { orderId: order.id, status: 'succeeded', amountRefunded: 0 } });
    expect((await world.chargesOf(order)).length).toBe(1);
    // It is a payment as any other.
    const back = await world.refund(String(answers[0]?.body['id']), {}, { headers: WAIT });
    expect(back.status).toBe(201);
  });

  it('refunded, answers its key 402 with a new key to take, and the order can be paid again', async () => {
    const order = await world.placeOrder();
    const key = await loseTo(world, order);
    await reconciled(world, 'refund');
    expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: ['failed'], charges: 1, refunded: order.total });
    const answer = await again(order, key);
    expectProblem(answer, 'payment-declined');
    expect(answer.body).toMatchObject({ retry: 'new-key', payment: { status: 'failed', failureCode: 'refunded_after_restore' } });
    expect((await again(order, key, replica)).text).toBe(answer.text);
    expect((await again(order, uuidv7())).status).toBe(201);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', charges: 2, refunded: order.total });
  });

  it('of an order that is lost as well can be refunded alone, and its key is told so', async () => {
    const order = await world.placeOrder();
    const key = await loseTo(world, order, { withOrder: true });
    await expect(reconciled(world, 'adopt')).rejects.toThrow('its order is lost, too');
    await reconciled(world, 'refund');
    expect((await world.refundsOf(order)).map(({ amount }) => amount)).toEqual([order.total]);
    const answer = await again(order, key);
    expectProblem(answer, 'payment-declined');
    expect(answer.body).toMatchObject({
      payment: { orderId: order.id, failureCode: 'refunded_after_restore', amountRefunded: order.total },
    });
  });

  it('asked for with other parameters, is told that its key was used', async () => {
    const order = await world.placeOrder();
    const key = await loseTo(world, order);
    await reconciled(world, 'adopt');
    expectProblem(await again({ ...order, total: order.total + 1 }, key), 'idempotency-key-reused');
    expectProblem(await again(await world.placeOrder(), key, replica), 'idempotency-key-reused');
  });

  it('is refunded once, however often the refund is interrupted', async () => {
    const order = await world.placeOrder();
    await loseTo(world, order);
    await world.faults({ dropAfter: 1 });
    await expect(reconciled(world, 'refund')).rejects.toThrow('is not known to be refunded');
    await world.faults({});
    const early = withReconciliation(world, (reconciliation) => reconciliation.open(BY));
    await expect(early).rejects.toThrow('1 refunds are decided');
    expect(await reconcile(world, 'refund', '--all', ...NOTE)).toMatchObject({ code: 0, stdout: '1 interrupted refunds were made\n' });
    expect((await world.refundsOf(order)).length).toBe(1);
  });

  it('of nobody here is shown, and is nobody\u2019s to decide', async () => {
    const metadata = { account: 'acct_01h455vb4pex5vsknk084sn02q', order: 'ord_01h455vb4pex5vsknk084sn02q' };
    const body = { reference: 'hf_foreign', amount: 77, currency: 'EUR', source: 'tok_visa', metadata };
    const headers = { 'content-type': 'application/json', 'idempotency-key': uuidv7() };
    const made = await fetch(`${world.sandbox.url}/charges`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { id } = (await made.json()) as { id: string };
    const [lost] = await withReconciliation(world, (reconciliation) => reconciliation.lostCharges());
    expect(lost).toMatchObject({ charge: { id }, owner: null });
    for (const verb of ['adopt', 'refund'] as const) {
      const decided = withReconciliation(world, async (reconciliation) => lost && reconciliation[verb](lost, BY));
      await expect(decided).rejects.toThrow(`${id} has no owner here.`);
    }
    expect(namesOf(await auditWorld(world))).toEqual([`charge-unknown-here ${id}`]);
    const back = { reference: 'hf_foreign_back', chargeId: id, amount: 77, currency: 'EUR' };
    await fetch(`${world.sandbox.url}/refunds`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': uuidv7() },
      body: JSON.stringify(back),
    });
    await world.database.query(
      `INSERT INTO restored_charges VALUES ((SELECT id FROM accounts LIMIT 1), 'hf_foreign', $1, 77, 'EUR', gen_random_uuid(), gen_random_uuid(), now(), 'refunded', 'rf', 'hf_foreign_back', now(), 'test', 'test')`,
      [id],
    );
  });
});

it('an operator closes payments by hand after a restore from a dump, which no server tells of', async () => {
  const closed = await reconcile(world, 'close', ...NOTE);
  expect([closed.code, closed.stdout]).toEqual([0, 'payments are closed\n']);
  const order = await world.placeOrder();
  const key = uuidv7();
  expectProblem(await again(order, key), 'service-unavailable');
  expect((await reconcile(world)).stdout).toMatch(/^payments: closed since \S+ by .+: checked by hand$/m);
  await reconciled(world, 'adopt');
  expect((await again(order, key)).status).toBe(201);
});

describe('npm run reconcile', () => {
  it('writes a line of the trail for each act, with who did it, and keeps that name in the database', async () => {
    const order = await world.placeOrder();
    await loseTo(world, order);
    const [charge] = await world.chargesOf(order);
    const commands = [
      ['close', ...NOTE],
      ['adopt', String(charge?.id), ...NOTE],
      ['open', ...NOTE],
    ];
    const lines: Record<string, unknown>[] = [];
    for (const command of commands) {
      const { code, stderr } = await reconcile({ ...world, env: { ...world.env, LOG_LEVEL: 'info' } }, ...command);
      expect(code).toBe(0);
      for (const line of stderr.split('\n').filter((text) => text.startsWith('{'))) lines.push(JSON.parse(line) as Record<string, unknown>);
    }
    const common = { level: 40, context: 'Trail', actor: `os:${userInfo().username}`, time: expect.any(String) };
    expect(lines).toEqual([
      { ...common, act: 'gate.changed', state: 'closed' },
      { ...common, act: 'restore.decided', accountId: publicId('acct', ACCOUNT_A), chargeId: charge?.id, outcome: 'adopted' },
      { ...common, act: 'gate.changed', state: 'open' },
    ]);
    expect(
      await world.database.query(`SELECT changed_by, (SELECT decided_by FROM restored_charges WHERE charge_id = $1) FROM payments_gate`, [
        charge?.id,
      ]),
    ).toEqual([{ changed_by: common.actor, decided_by: common.actor }]);
  });

  it.each([
    ['an unknown command', ['repair']],
    ['no note', ['close']],
    ['an empty note', ['open', '--note', ' ']],
    ['neither a charge nor all', ['adopt', ...NOTE]],
    ['a charge and all', ['refund', 'ch_1', '--all', ...NOTE]],
    ['more than one charge', ['refund', 'ch_1', 'ch_2', ...NOTE]],
  ])('a command line with %s is refused before anything is done', (_, args) => {
    expect(() => readArguments(args)).toThrow(UsageError);
  });
});
