import { publicId } from '../../src/kernel/ids.js';
import type { GuardedProvider } from '../../src/payments/provider/guarded-provider.js';
import { PROVIDER, type Outcome } from '../../src/payments/provider/provider.js';
import { KEY_B, atOnce, type TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, ACCOUNT_B, countOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

let world: PaymentWorld;
afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
});

it('an account whose charges all hang leaves the charges of another alone', async () => {
  world = await startPaymentWorld({ PROVIDER_TIMEOUT: '60s', IDEMPOTENCY_LEASE: '70s' });
  const orders = await atOnce(50, () => world.placeOrder());
  const hanging = orders.map((order) => world.pay(order, 'tok_hang_after'));
  await eventually('the account to have every place that it may have', async () => (await world.ledger()).charges.length === 32, 30_000);
  const others: TestResponse[] = [];
  for (let n = 0; n < 5; n++) others.push(await world.pay(await world.placeOrder({ as: KEY_B }), 'tok_visa', { as: KEY_B }));
  expect(others.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  // All this time the account has had all that it may have.
  expect(await countOf(world.database, 'payments', `account_id = $1 AND status = 'processing'`, [ACCOUNT_A])).toBeGreaterThanOrEqual(32);
  // Cuts what hangs.
  await world.stopSandbox();
  await world.restartSandbox();
  await Promise.all(hanging);
});

it('an account whose operations hang has a quarter of the recoverer, and the others have the rest', async () => {
  world = await startPaymentWorld();
  const guarded = world.app.get<GuardedProvider>(PROVIDER);
  const charge = guarded.charge.bind(guarded);
  let lost = true;
  let hung = 0;
  const ends: ((outcome: Outcome) => void)[] = [];
  jest.spyOn(guarded, 'charge').mockImplementation((request, key, share) => {
    if (lost) return Promise.resolve({ kind: 'unknown', reason: 'lost on purpose' });
    if (request.account !== publicId('acct', ACCOUNT_A)) return charge(request, key, share);
    hung += 1;
    return new Promise((resolve) => {
      ends.push(resolve);
    });
  });
  // The hanging ones are the older ones: whoever comes first would take every place for them.
  for (const as of [undefined, KEY_B]) {
    await atOnce(20, async () => world.pay(await world.placeOrder({ ...(as && { as }) }), 'tok_visa', { ...(as && { as }) }));
  }
  lost = false;
  const succeeded = (account: string) => countOf(world.database, 'payments', `account_id = $1 AND status = 'succeeded'`, [account]);
  await eventually('the other account to be recovered', async () => (await succeeded(ACCOUNT_B)) === 20);
  await eventually('all that may hang to hang', async () => hung >= 4);
  expect([hung, await succeeded(ACCOUNT_A)]).toEqual([4, 0]);
  jest.restoreAllMocks();
  for (const end of ends) end({ kind: 'unknown', reason: 'hung on purpose' });
  await eventually('the account itself to be recovered', async () => (await succeeded(ACCOUNT_A)) === 20);
});
