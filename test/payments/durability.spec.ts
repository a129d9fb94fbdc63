import { ORDER } from '../support/app.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

/** Writes down, in COMMIT itself, what each commit of a record waits for. */
const WATCH_COMMITS = `
  CREATE TABLE commits (operation text, status text, synchronous_commit text);
  CREATE FUNCTION watch_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    INSERT INTO commits VALUES (NEW.operation, NEW.status, current_setting('synchronous_commit'));
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER watch_commit AFTER INSERT OR UPDATE ON idempotency_records DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION watch_commit()`;

let world: PaymentWorld;
afterEach(() => world.close());

async function start(env: Record<string, string>): Promise<void> {
  world = await startPaymentWorld(env);
  await world.database.query(WATCH_COMMITS);
}

/** What the commits of each operation waited for; several words where they differed. */
async function commits(): Promise<Record<string, string>> {
  const rows = await world.database.query<{ what: string; waited: string }>(
    `SELECT operation || ', ' || status AS what, string_agg(DISTINCT synchronous_commit, ' ') AS waited FROM commits GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ what, waited }) => [what, waited]));
}

async function moveMoney(): Promise<void> {
  const paid = await world.pay(await world.placeOrder(), 'tok_visa');
  expect(paid.status).toBe(201);
  expect((await world.send('POST', `/v1/payments/${paid.body['id']}/refunds`, { body: { amount: 1 } })).status).toBe(201);
  const order = await world.placeOrder();
  expect((await world.pay(order, 'tok_visa')).status).toBe(201);
  expect((await world.send('POST', `/v1/orders/${order.id}/cancel`, { body: {} })).status).toBe(200);
  // A refusal that is stored, in a transaction of its own.
  expect((await world.pay(order, 'tok_visa')).status).toBe(409);
}

it('with remote_apply what moves money waits until standbys have applied it, at the first commit and at the last; orders do not', async () => {
  await start({ PAYMENTS_SYNCHRONOUS_COMMIT: 'remote_apply' });
  await moveMoney();
  expect((await world.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
  expect(await commits()).toEqual({
    'POST /v1/orders, completed': 'on',
    'POST /v1/orders/:id/cancel, completed': 'remote_apply',
    'POST /v1/orders/:id/cancel, running': 'remote_apply',
    'POST /v1/payments, completed': 'remote_apply',
    'POST /v1/payments, running': 'remote_apply',
    'POST /v1/payments/:id/refunds, completed': 'remote_apply',
    'POST /v1/payments/:id/refunds, running': 'remote_apply',
  });
});

it('without it everything waits as the server says', async () => {
  await start({});
  await moveMoney();
  expect(new Set(Object.values(await commits()))).toEqual(new Set(['on']));
});
