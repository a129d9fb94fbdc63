import { GuardedProvider } from '../../src/payments/provider/guarded-provider.js';
import type { FoundReading, Outcome, Provider, Reading, Said } from '../../src/payments/provider/provider.js';

// Jest's clock drives the global timers alone.
jest.mock('node:timers/promises', () => ({ setTimeout: (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds)) }));

const origin = { order: 'ord_1', payment: 'pay_1', operation: 'op_1' };
const REQUEST = { account: 'acct_1', reference: 'hf_1', amount: 2500, currency: 'EUR', source: 'tok_visa', origin };
const succeeded: Outcome = { kind: 'succeeded', providerReference: 'ch_1' };
const declined: Outcome = { kind: 'declined', code: 'card_declined' };
const lost: Outcome = { kind: 'unknown', reason: 'ECONNRESET' };
const refused: Outcome = { kind: 'not-reached', reason: 'ECONNREFUSED' };
const TIMEOUT = 10_000;

/** A provider that answers what it is told to, and counts. */
class Scripted implements Provider {
  readonly keyWindowMs = 1;
  readonly keys: string[] = [];
  readonly timeouts: number[] = [];
  now = 0;
  most = 0;
  said: Said = {};
  answer: (timeoutMs: number) => Promise<Outcome> | Outcome = () => succeeded;

  async charge(_request: unknown, key: string, timeoutMs: number): Promise<Reading> {
    this.keys.push(key);
    const outcome = await this.counted(timeoutMs);
    return outcome.kind === 'unknown' || outcome.kind === 'not-reached' ? outcome : { ...outcome, said: this.said };
  }

  refund = this.charge.bind(this);

  async findCharge(_request: unknown, _known: unknown, timeoutMs: number): Promise<FoundReading> {
    const outcome = await this.counted(timeoutMs);
    return outcome.kind === 'succeeded' ? { ...outcome, said: this.said } : null;
  }

  findRefund = this.findCharge.bind(this);

  standing = () => Promise.resolve({ trouble: null, returned: 0, said: {} });

  private async counted(timeoutMs: number): Promise<Outcome> {
    this.timeouts.push(timeoutMs);
    this.most = Math.max(this.most, ++this.now);
    try {
      return await this.answer(timeoutMs);
    } finally {
      this.now--;
    }
  }
}

let provider: Scripted;
let guarded: GuardedProvider;

beforeEach(() => {
  jest.useFakeTimers();
  provider = new Scripted();
  guarded = new GuardedProvider(provider, TIMEOUT);
});

afterEach(() => jest.useRealTimers());

/** The outcome of a call, with as much time as it needs, and how much that was. */
async function timed<T>(call: Promise<T>): Promise<{ outcome: T; took: number }> {
  const start = performance.now();
  const clock: { end?: number } = {};
  void call.finally(() => (clock.end = performance.now()));
  while (clock.end === undefined) await jest.advanceTimersByTimeAsync(10);
  return { outcome: await call, took: clock.end - start };
}

const of = (account: string) => ({ ...REQUEST, account });
const charge = async (key = 'k') => (await timed(guarded.charge(REQUEST, key))).outcome;
const script = (...outcomes: Outcome[]) => (provider.answer = () => outcomes.shift() ?? succeeded);
const after = (milliseconds: number, outcome: Outcome) =>
  new Promise<Outcome>((resolve) => {
    setTimeout(() => resolve(outcome), milliseconds);
  });
/** Like a provider that hangs: the call ends when its time is over. */
const hang = (timeoutMs: number) => after(timeoutMs, lost);

describe('tries', () => {
  it('finds a lost answer at once, under the same key', async () => {
    script(lost, refused, succeeded);
    expect(await charge()).toEqual(succeeded);
    expect(provider.keys).toEqual(['k', 'k', 'k']);
  });

  it.each([succeeded, declined])('does not repeat what is final: $kind', async (outcome) => {
    script(outcome, lost);
    expect(await charge()).toEqual(outcome);
    expect(provider.keys).toHaveLength(1);
  });

  it('gives up after three', async () => {
    script(lost, lost, lost, succeeded);
    expect(await charge()).toEqual(lost);
  });

  it('is not reached when no try reached it', async () => {
    script(refused, refused, refused);
    expect(await charge()).toEqual(refused);
  });

  it.each([
    ['first', [lost, refused, refused]],
    ['second', [refused, lost, refused]],
  ])('doubt wins over not reached: the %s try is in doubt', async (_which, outcomes) => {
    script(...outcomes);
    expect(await charge()).toEqual(lost);
  });

  it('an error of the adapter is doubt', async () => {
    provider.answer = () => Promise.reject(new Error('a mistake'));
    expect(await charge()).toEqual({ kind: 'unknown', reason: 'a mistake' });
  });
});

describe('what an answer says it is about', () => {
  it.each<[string, Said]>([
    ['account acct_2 instead of acct_1', { account: 'acct_2' }],
    ['reference hf_2 instead of hf_1', { reference: 'hf_2' }],
    ['amount 2600 instead of 2500', { amount: 2600 }],
    ['currency USD instead of EUR', { currency: 'USD' }],
    ['amount 1 instead of 2500, currency USD instead of EUR', { currency: 'USD', amount: 1, account: 'acct_1' }],
  ])('is compared with what was asked: %s', async (words, said) => {
    provider.said = said;
    const differs = {
      kind: 'unknown',
      answered: true,
      reason: `the provider answered with ${words}`,
      review: expect.any(String) as unknown,
    };
    for (const outcome of [succeeded, declined]) {
      script(outcome);
      expect(await charge()).toMatchObject(differs);
      expect(provider.keys.splice(0)).toHaveLength(1);
    }
    expect((await timed(guarded.findCharge(REQUEST, null))).outcome).toMatchObject(differs);
  });

  it('is no difference where it is the same, or not told', async () => {
    provider.said = REQUEST;
    expect(await charge()).toEqual(succeeded);
    provider.said = { currency: 'EUR' };
    expect(await charge()).toEqual(succeeded);
  });

  it('of a refund has the charge, too', async () => {
    provider.said = { chargeId: 'ch_2' };
    const refund = { account: 'acct_1', reference: 'hf_1', amount: 1, currency: 'EUR', chargeId: 'ch_1' };
    expect((await timed(guarded.refund(refund, 'k'))).outcome).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('charge ch_2') as unknown,
    });
  });
});

describe('time', () => {
  it('the deadline holds over retries', async () => {
    provider.answer = (timeoutMs) => after(Math.min(timeoutMs, 6_000), lost);
    const { outcome, took } = await timed(guarded.charge(REQUEST, 'k'));
    expect(outcome).toEqual(lost);
    expect(took).toBeLessThanOrEqual(TIMEOUT + 10);
    expect(provider.timeouts).toHaveLength(2);
    expect(provider.timeouts[1]).toBeLessThan(4_000);
  });

  it('the deadline holds for those that wait for their turn, too, and what is never sent is not reached', async () => {
    provider.answer = hang;
    const calls = Array.from({ length: 150 }, (_, n) => timed(guarded.charge(REQUEST, `k${n}`)));
    const results = await Promise.all(calls);
    expect(Math.max(...results.map(({ took }) => took))).toBeLessThanOrEqual(TIMEOUT + 10);
    expect(results.slice(32).every(({ outcome }) => outcome.kind === 'not-reached')).toBe(true);
    expect(new Set(provider.keys).size).toBe(32);
  });

  it('a look-up that got no turn in time is an error, never "nothing there"', async () => {
    provider.answer = hang;
    const calls = Array.from({ length: 64 }, () => guarded.charge(REQUEST, 'k'));
    const search = guarded.findCharge(REQUEST, null);
    const { outcome } = await timed(Promise.allSettled([search, ...calls]));
    expect(outcome[0]).toMatchObject({ status: 'rejected', reason: new Error('no time left') });
  });
});

describe('crowds', () => {
  it('at most 32 of an account and 128 of all are at the provider at once, look-ups among them', async () => {
    provider.answer = () => after(50, succeeded);
    const calls = (accounts: number) =>
      Array.from({ length: 200 }, (_, n) => {
        const request = of(`acct_${n % accounts}`);
        return n % 2 ? guarded.charge(request, 'k') : guarded.findCharge(request, null);
      });
    await timed(Promise.all(calls(1)));
    expect(provider.most).toBe(32);
    await timed(Promise.all(calls(7)));
    expect(provider.most).toBe(128);
  });

  it('an account whose calls all hang leaves the others alone', async () => {
    const endings: string[] = [];
    provider.answer = hang;
    const hanging = Array.from({ length: 230 }, () => guarded.charge(REQUEST, 'k').then(() => endings.push('hung')));
    await jest.advanceTimersByTimeAsync(1);
    provider.answer = () => succeeded;
    for (let n = 0; n < 5; n++) {
      endings.push((await timed(guarded.charge(of('acct_2'), 'other'))).outcome.kind);
      endings.push((await timed(guarded.findCharge(of('acct_2'), null))).outcome?.kind ?? 'nothing');
    }
    expect(endings).toEqual(Array.from({ length: 10 }, () => 'succeeded'));
    await timed(Promise.all(hanging));
  });

  it('more than can wait are not reached at once', async () => {
    provider.answer = () => after(1_000, succeeded);
    const calls = Array.from({ length: 300 }, () => guarded.charge(REQUEST, 'k'));
    const { outcome } = await timed(Promise.all(calls));
    expect(outcome.filter(({ kind }) => kind === 'not-reached').length).toBeLessThanOrEqual(68);
    expect(provider.most).toBe(32);
  });
});

describe('pauses', () => {
  /** Twenty failures in a row. */
  const fail = async () => {
    provider.answer = () => refused;
    for (let n = 0; n < 7; n++) await charge();
    provider.keys.length = 0;
  };

  it('leaves a provider alone that fails all the time, and recovers', async () => {
    await fail();
    provider.answer = () => succeeded;
    expect(await charge()).toMatchObject({ kind: 'not-reached' });
    expect(provider.keys).toEqual([]);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await charge()).toEqual(succeeded);
    expect(await charge()).toEqual(succeeded);
  });

  it('goes on pausing while the one call that looks fails', async () => {
    await fail();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await charge()).toMatchObject({ kind: 'not-reached' });
    expect(provider.keys).toHaveLength(1);
  });

  it('are those of the account that meets silence, and not of the others', async () => {
    await fail();
    expect(await charge()).toMatchObject({ kind: 'not-reached' });
    provider.answer = () => succeeded;
    expect((await timed(guarded.charge(of('acct_2'), 'k'))).outcome).toEqual(succeeded);
    // However often one account is silent, two of them are not everybody.
    provider.answer = () => refused;
    for (let n = 0; n < 7; n++) await timed(guarded.charge(of('acct_2'), 'k'));
    provider.answer = () => succeeded;
    expect((await timed(guarded.charge(of('acct_3'), 'k'))).outcome).toEqual(succeeded);
  });

  it('are those of all where three accounts meet nothing but silence, until one of them is answered', async () => {
    provider.answer = () => refused;
    for (let n = 0; n < 9; n++) await timed(guarded.charge(of(`acct_${n % 3}`), 'k'));
    provider.answer = () => succeeded;
    expect((await timed(guarded.charge(of('acct_9'), 'k'))).outcome).toMatchObject({ kind: 'not-reached' });
    await jest.advanceTimersByTimeAsync(3_000);
    // One that hangs while it looks prolongs nobody's pause.
    provider.answer = hang;
    const hanging = guarded.charge(of('acct_0'), 'k');
    await jest.advanceTimersByTimeAsync(1);
    provider.answer = () => succeeded;
    for (const account of ['acct_9', 'acct_1']) expect((await timed(guarded.charge(of(account), 'k'))).outcome).toEqual(succeeded);
    await timed(hanging);
  });

  it('a decline is no failure', async () => {
    provider.answer = () => declined;
    for (let n = 0; n < 40; n++) expect(await charge()).toEqual(declined);
  });

  it('still looks up during a pause', async () => {
    await fail();
    provider.answer = () => succeeded;
    expect((await timed(guarded.findCharge(REQUEST, null))).outcome).toEqual(succeeded);
  });
});
