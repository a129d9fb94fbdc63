import { AuditCron } from '../../src/audit/audit.cron.js';
import { KINDS } from '../../src/audit/auditor.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { run, type Ended } from '../support/built-process.js';
import { hold, untilBlocked } from '../support/locks.js';
import { startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';

let world: PaymentWorld;
let order: PlacedOrder;
beforeAll(async () => {
  world = await startPaymentWorld();
  order = await world.placeOrder();
  await world.pay(order);
});
afterAll(() => world.close());

const command = (args: string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
  run('src/audit/audit.cli.js', args, { CI: 'true', ...world.database.env, PROVIDER_URL: world.sandbox.url, ...env });
const gauges = async (): Promise<string[]> =>
  (await world.send('GET', '/metrics', { as: null })).text.split('\n').filter((line) => line.startsWith('holdfast_audit_differences{'));
const damage = (by: number): Promise<unknown> =>
  world.database.query('UPDATE orders SET total = total + $2 WHERE id = $1', [uuidOf('ord', order.id), by]);

describe('npm run audit', () => {
  it('ends with "differences: 0" and exit code 0 when there are none', async () => {
    const { code, stdout, stderr } = await command();
    expect([code, stderr, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '', 'differences: 0']);
  });

  it('names each difference, ends with their number, and exits with 1', async () => {
    await damage(1);
    const { code, stdout } = await command().finally(() => damage(-1));
    expect(code).toBe(1);
    expect(stdout).toContain(`order-total  ${order.id} of acct_`);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('differences: 2');
  });

  it('says so when the provider has no ledger, and audits the rest', async () => {
    const env = { PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_x' };
    const { code, stdout } = await command([], env);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^not audited: the provider: .*$/m)]);
    await damage(1);
    expect((await command([], env).finally(() => damage(-1))).code).toBe(1);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['database', { DATABASE_BACKGROUND_URL: 'postgres://x@127.0.0.1:9/x' }, /database/],
    ['provider', { PROVIDER_URL: 'http://127.0.0.1:9' }, /ledger cannot be read/],
  ])('exits with 2 and a sentence when the %s does not answer', async (_what, env, sentence) => {
    const { code, stdout, stderr } = await command([], env);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(sentence)]);
    expect(stderr).not.toMatch(/\bat .*\.(js|ts)/);
  });

  it('takes no arguments, and explains itself', async () => {
    expect(await command(['--nonsense'])).toMatchObject({ code: 64, stderr: expect.stringContaining('Usage:') });
    expect(await command(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage:') });
  });

  it('changes nothing and leaves nothing behind', async () => {
    const image = (): Promise<unknown> =>
      world.database.query(
        `SELECT count(*) AS tables, (SELECT count(*) FROM pg_proc WHERE proname = 'public_id') AS functions FROM pg_class`,
      );
    const before = await image();
    await command();
    expect(await image()).toEqual(before);
  });
});

describe('the cron', () => {
  it('shows every kind in the metrics, with what it found', async () => {
    const cron = world.app.get(AuditCron);
    await cron.auditAndShow();
    expect((await gauges()).sort()).toEqual(KINDS.map((kind) => `holdfast_audit_differences{kind="${kind}"} 0`).sort());
    await damage(1);
    await cron.auditAndShow().finally(() => damage(-1));
    expect(await gauges()).toContain('holdfast_audit_differences{kind="order-total"} 1');
  });

  it('leaves it to the one who is at it already, and then shows nothing', async () => {
    const cron = world.app.get(AuditCron);
    const other = await hold(world.database, 'SELECT pg_advisory_lock($1)', [0x6175646974]);
    expect(await cron.audit()).toBeNull();
    await cron.auditAndShow();
    expect(await gauges()).toEqual([]);
    await other.release();
    expect(await cron.audit()).toMatchObject({ differences: [] });
  });

  it('shows nothing when it could not audit', async () => {
    await world.stopSandbox();
    await expect(world.app.get(AuditCron).auditAndShow()).rejects.toThrow('it does not answer');
    await world.restartSandbox();
    expect(await gauges()).toEqual([]);
  });

  it('is cut off by a stop, with the query that it waits for', async () => {
    const other = await hold(world.database, 'LOCK TABLE refunds IN ACCESS EXCLUSIVE MODE');
    const stop = new AbortController();
    const audited = world.app.get(AuditCron).audit(stop.signal);
    await untilBlocked(world.database);
    stop.abort();
    await expect(audited).rejects.toThrow(/terminated/);
    await other.release();
  });
});
