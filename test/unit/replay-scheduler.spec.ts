import { ReplayScheduler } from '../../src/idempotency/requests/replay-scheduler.js';

/** What was answered, in this order; `turn()` lets the next turn of the event loop come. */
function watch(turns: ReplayScheduler) {
  const answered: string[] = [];
  const send = async (accountId: string, name: string): Promise<void> => {
    await turns.take(accountId);
    answered.push(name);
  };
  return { answered, send };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

const NAMES = Array.from({ length: 30 }, (_, index) => `hammer ${index}`);

it('one account alone has its replays answered in their order, a few in each turn', async () => {
  const { answered, send } = watch(new ReplayScheduler());
  const all = NAMES.map((name) => send('A', name));
  await Promise.resolve();
  const first = answered.length;
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(10);
  await turn();
  expect(answered.length).toBe(2 * first);
  await Promise.all(all);
  expect(answered).toEqual(NAMES);
});

it('another account does not wait behind all replays of one that hammers', async () => {
  const { answered, send } = watch(new ReplayScheduler());
  const all = NAMES.map((name) => send('A', name));
  const calm = send('B', 'calm');
  await turn();
  expect(answered).toContain('calm');
  expect(answered.length).toBeLessThan(NAMES.length / 2);
  await Promise.all([...all, calm]);
  expect(answered.filter((name) => name !== 'calm')).toEqual(NAMES);
});

it('what comes after a quiet time is answered at once', async () => {
  const turns = new ReplayScheduler();
  const { send } = watch(turns);
  await Promise.all(NAMES.map((name) => send('A', name)));
  await turn();
  expect(turns.take('A')).toBeUndefined();
});
