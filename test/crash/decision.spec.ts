import { v7 as uuidv7 } from 'uuid';
import { operationUuid } from '../../src/idempotency/index.js';
import { DID_NOT, HAPPENED, decide, flagPayment, settledDecisions } from '../support/decisions.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { hold, untilBlocked } from '../support/locks.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { startProcess, type ApiProcess } from '../support/process.js';

/** COMMIT waits inside it, for whoever holds the advisory lock: of the decision's first transaction, or of the one that settles. */
const TRIGGERS = `
  CREATE FUNCTION decision_wait() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER decision_wait_first AFTER INSERT ON payment_decisions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION decision_wait(1);
  CREATE CONSTRAINT TRIGGER decision_wait_settling AFTER UPDATE ON payment_decisions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION decision_wait(2)`;

let world: PaymentWorld;
const started: ApiProcess[] = [];
beforeAll(async () => {
  world = await startPaymentWorld();
  await world.database.query(TRIGGERS);
});
afterAll(async () => {
  await Promise.all(started.map((api) => api.kill('SIGKILL')));
  await world.close();
});

/** Where the process that decides is killed; `held` is what its COMMIT waits for. */
const MOMENTS = [
  { where: 'inside the first commit', held: 1 },
  { where: 'while the provider is asked', held: null },
  { where: 'inside the settling commit', held: 2 },
];

describe.each(MOMENTS)('kill -9 of who carries a decision out, $where', ({ held }) => {
  it.each(['retries', 'never returns, and another one decides otherwise'])('the client %s: one decision, one outcome', async (client) => {
    const order = await world.placeOrder();
    const { key, operation } = await flagPayment(world, order);
    // Slow, so that it can be met while it is asked.
    await world.faults({ error500: 1, latencyMs: 500 });
    const api = await startProcess(world.database.url, world.env);
    started.push(api);
    const own = uuidv7();
    const lock = held === null ? null : await hold(world.database, 'SELECT pg_advisory_xact_lock($1)', [held]);
    const first = decide(world, operation, DID_NOT, { on: api, key: own }).catch(() => null);
    if (held === null) await eventually('the operation to be taken over', () => isTaken(operation));
    else await untilBlocked(world.database);
    await api.kill('SIGKILL');
    await lock?.release();
    expect(await first).toBeNull();
    const [again, other] = client === 'retries' ? [own, DID_NOT] : [uuidv7(), HAPPENED];
    const answer = await decide(world, operation, other, { key: again });
    const [status, paid] = await eventually('the operation to be settled', async () => {
      const [record] = await recordsOf(world.database, key);
      return record?.status === 'completed' && [record.response_status, record.response_status === 201];
    });
    expect(await settledDecisions(world, operation)).toBe(1);
    const decided = await countOf(world.database, 'payment_decisions', `operation_id = $1 AND settled_at IS NOT NULL AND outcome = $2`, [
      operationUuid(operation),
      status === 201 ? 'happened' : 'did-not-happen',
    ]);
    expect(decided).toBe(1);
    // The one that was killed had written its decision down, or not: what was settled is who won.
    expect(answer.status).toBe(client === 'retries' || paid ? 200 : 409);
    expect(await world.stateOf(order)).toMatchObject(
      paid ? { order: 'paid', payments: ['succeeded'] } : { order: 'pending', payments: ['failed'] },
    );
    await world.faults({});
    const replay = await world.pay(order, 'tok_visa', { key });
    expect([replay.status, replay.headers.get('idempotent-replayed')]).toEqual([status, 'true']);
    expect(await world.chargesOf(order)).toEqual([]);
  });
});

async function isTaken(operation: string): Promise<boolean> {
  const where = `operation_id = $1 AND event = 'resumed' AND detail LIKE 'by a decision%'`;
  return (await countOf(world.database, 'idempotency_timeline', where, [operationUuid(operation)])) > 0;
}
