import { userInfo } from 'node:os';
import { KEY_B } from '../support/app.js';
import { run, type Ended } from '../support/built-process.js';
import { flagPayment, flagRefund, reviewOf, untilAsked } from '../support/decisions.js';
import { WAIT, startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
beforeAll(async () => (world = await startPaymentWorld()));
afterEach(() => world.faults({}));
afterAll(() => world.close());

const review = (...args: string[]): Promise<Ended> => run('src/payments/review.cli.js', args, world.database.env);

it('lists what is flagged in all accounts, one line each, also of operations that have ended', async () => {
  const done = await world.pay(await world.placeOrder());
  await world.database.query(`UPDATE payments SET review_reason = 'the charge is disputed' WHERE status = 'succeeded'`);
  const theirs = await world.placeOrder({ as: KEY_B });
  const paid = await world.pay(theirs, 'tok_visa', { as: KEY_B });
  await world.database.query(`UPDATE payments SET review_reason = 'of another account' WHERE review_reason IS NULL`);
  const { operation, payment } = await flagPayment(world, await world.placeOrder());
  const { code, stdout } = await review();
  expect(code).toBe(0);
  const lineOf = (id: string | null): string => stdout.split('\n').find((line) => line.startsWith(String(id))) ?? '';
  expect(lineOf(done.headers.get('operation-id'))).toMatch(/has ended: the charge is disputed$/);
  expect(lineOf(paid.headers.get('operation-id'))).toMatch(/has ended: of another account$/);
  expect(lineOf(operation)).toMatch(new RegExp(`acct_\\w+ {2}${payment} .* to be decided: no answer after`));
  expect(stdout).toMatch(/^flagged: 3$/m);
});

it('settles a payment, in the name of the operating system\u2019s user, once', async () => {
  const order = await world.placeOrder();
  const { key, operation, payment } = await flagPayment(world, order);
  const args = ['settle', operation, '--outcome', 'did-not-happen', '--note', 'called them'];
  const first = await review(...args);
  expect([first.code, first.stdout]).toEqual([0, `${operation} is settled: did-not-happen\n`]);
  const { body } = await world.send('GET', `/v1/operations/${operation}`);
  const detail = `did-not-happen, by os:${userInfo().username}: called them`;
  expect(body).toMatchObject({
    status: 'completed',
    timeline: expect.arrayContaining([expect.objectContaining({ event: 'decided', detail })]),
  });
  const again = await review(...args);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('Nothing of this operation is flagged')]);
  await world.faults({});
  expectProblem(await world.pay(order, 'tok_visa', { key }), 'payment-declined');
  expect([await reviewOf(world, payment), (await untilAsked(() => world.pay(order, 'tok_visa', { headers: WAIT }))).status]).toEqual([
    null,
    201,
  ]);
});

it('settles a refund', async () => {
  const order = await world.placeOrder();
  const paid = await world.pay(order);
  const { key, operation, payment, refund } = await flagRefund(world, String(paid.body['id']));
  expect((await review()).stdout).toContain(`${refund} of ${payment}`);
  const settled = await review('settle', operation, '--outcome', 'happened', '--provider-reference', 're_seen', '--note', 'seen');
  expect(settled).toMatchObject({ code: 0, stderr: '' });
  await world.faults({});
  expect((await world.refund(payment, {}, { key })).body).toMatchObject({ id: refund, status: 'succeeded' });
});

it.each([
  [['settle'], /takes the id of one operation/],
  [['settle', 'op_1', '--outcome', 'happened', '--note', 'x'], /takes the id of one operation/],
  [['settle', 'op_01kf0fv3dpeyt80w9nzcbvrcmt', '--note', 'x'], /--outcome must be happened or did-not-happen/],
  [['settle', 'op_01kf0fv3dpeyt80w9nzcbvrcmt', '--outcome', 'happened'], /--note must be/],
  [['list', 'all'], /must be list, which takes nothing more/],
])('explains itself when it is asked wrongly: %j', async (args, sentence) => {
  expect(await review(...args)).toMatchObject({ code: 64, stdout: '', stderr: expect.stringMatching(sentence) });
});
