import { existsSync } from 'node:fs';
import { v7 as uuidv7 } from 'uuid';
import { atOnce, tally, type TestApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { startProcess, type ApiProcess } from '../support/process.js';

const AHEAD_MS = 600_000;
const LEASE_MS = 2_000;

/** Where Debian, Ubuntu and a build from source put it; on Debian `apt-get install faketime` does. */
const library = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/usr/local/lib']
  .map((directory) => `${directory}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

const describeWithClocks = library ? describe : describe.skip;

describeWithClocks('two replicas whose clocks are ten minutes apart (skipped where libfaketime is not installed)', () => {
  let world: PaymentWorld;
  let ahead: ApiProcess;
  beforeAll(async () => {
    world = await startPaymentWorld({ PROVIDER_TIMEOUT: '1500ms', IDEMPOTENCY_LEASE: `${LEASE_MS}ms` });
    const clock = { LD_PRELOAD: library ?? '', FAKETIME: '+10m', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    ahead = await startProcess(world.database.url, { ...world.env, ...clock });
  });
  afterAll(async () => {
    await ahead.kill('SIGKILL');
    await world.close();
  });

  /** What became of the payments under these keys. */
  const attemptsOf = async (keys: string[]): Promise<number[]> => {
    const rows = await world.database.query<{ attempt: number }>('SELECT attempt FROM idempotency_records WHERE key = ANY ($1)', [keys]);
    return rows.map(({ attempt }) => attempt);
  };
  const chargesOf = (orders: PlacedOrder[]): Promise<number[]> =>
    Promise.all(orders.map(async (order) => (await world.chargesOf(order)).length));
  const pay = (order: PlacedOrder, key: string, on: Pick<TestApp, 'url'>) => world.pay(order, 'tok_visa', { key, on });
  const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

  it('the clocks are apart', async () => {
    const answer = await fetch(`${ahead.url}/health/live`);
    expect(Date.parse(answer.headers.get('date') ?? '') - Date.now()).toBeGreaterThan(AHEAD_MS - 60_000);
  });

  it('neither takes an operation from the other before its lease is over', async () => {
    await world.faults({ latencyMs: 1_000 });
    const orders = await atOnce(8, () => world.placeOrder());
    const keys = orders.map(() => uuidv7());
    const answers = await atOnce(8, (n) => pay(orders[n] as PlacedOrder, keys[n] ?? '', n % 2 === 0 ? world : ahead));
    expect(tally(answers)).toEqual({ 201: 8 });
    expect(await attemptsOf(keys)).toEqual(ones(8));
    expect(await chargesOf(orders)).toEqual(ones(8));
  });

  it('each answers what the other one stored, byte for byte', async () => {
    await world.faults({});
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await pay(order, key, ahead);
    const again = await pay(order, key, world);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
  });

  it('what one of them had in hand when it was killed, the other one finishes after the lease, with one charge', async () => {
    await world.faults({ latencyMs: 1_000 });
    const orders = await atOnce(4, () => world.placeOrder());
    const keys = orders.map(() => uuidv7());
    const lost = atOnce(4, (n) => pay(orders[n] as PlacedOrder, keys[n] ?? '', ahead).catch(() => null));
    await eventually('the payments to be claimed', async () => (await attemptsOf(keys)).length === 4);
    await ahead.kill('SIGKILL');
    expect(await lost).toEqual([null, null, null, null]);
    const finished = await eventually(
      'the payments to be finished',
      async () => {
        const rows = await world.database.query<{ attempt: number; took: number }>(
          `SELECT attempt, (extract(epoch FROM completed_at - created_at) * 1000)::float8 AS took
           FROM idempotency_records WHERE key = ANY ($1) AND status = 'completed'`,
          [keys],
        );
        return rows.length === 4 && rows;
      },
      20_000,
    );
    for (const { attempt, took } of finished) expect([attempt > 1, took > LEASE_MS]).toEqual([true, true]);
    expect(await chargesOf(orders)).toEqual(ones(4));
  });
});
