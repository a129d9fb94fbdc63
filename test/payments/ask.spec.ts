import type { StepRun } from '../../src/idempotency/index.js';
import { ask, referenceOf } from '../../src/payments/provider/ask.js';
import type { Found, Outcome } from '../../src/payments/provider/provider.js';

const DAY = 86_400_000;
const succeeded: Outcome = { kind: 'succeeded', providerReference: 'ch_1' };
const declined: Outcome = { kind: 'declined', code: 'card_declined' };
const unknown: Outcome = { kind: 'unknown', reason: 'status 500' };

/** What is asked, in order, and what comes of it. A look-up that is an Error fails. */
async function asked({
  attempt = 1,
  ageMs = 0,
  window = DAY,
  sent = succeeded,
  found = null,
  known = false,
}: {
  attempt?: number;
  ageMs?: number;
  window?: number;
  sent?: Outcome;
  found?: Found | Error;
  known?: boolean;
}) {
  const order: string[] = [];
  const outcome = await ask({ attempt, ageMs } as StepRun, window, {
    known,
    send: () => {
      order.push('send');
      return Promise.resolve(sent);
    },
    find: () => {
      order.push('find');
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
  });
  return { order, outcome };
}

describe('ask', () => {
  it.each([1, 2])('sends without a look-up on attempt %i', async (attempt) => {
    expect(await asked({ attempt, sent: unknown })).toEqual({ order: ['send'], outcome: unknown });
  });

  it('looks up first from the third attempt on, and sends what is not there', async () => {
    expect(await asked({ attempt: 3 })).toEqual({ order: ['find', 'send'], outcome: succeeded });
  });

  it.each([succeeded, declined])('sends nothing when the look-up has the answer: $kind', async (found) => {
    expect(await asked({ attempt: 3, found })).toEqual({ order: ['find'], outcome: found });
    expect(await asked({ ageMs: DAY, found })).toEqual({ order: ['find'], outcome: found });
  });

  it('sends under a key that is known although the look-up fails', async () => {
    expect(await asked({ attempt: 3, found: new Error('down') })).toEqual({ order: ['find', 'send'], outcome: succeeded });
  });

  it('asks for a look by a person when the third attempt knows no more', async () => {
    const { outcome } = await asked({ attempt: 3, sent: unknown });
    expect(outcome).toEqual({ ...unknown, review: expect.stringContaining('3 attempts') as unknown });
  });

  it('looks up before it sends when the key may be forgotten', async () => {
    expect(await asked({ ageMs: DAY })).toEqual({ order: ['find', 'send'], outcome: succeeded });
  });

  it('sends nothing and concludes nothing when the key may be forgotten and the look-up fails', async () => {
    const { order, outcome } = await asked({ ageMs: DAY, found: new Error('down') });
    expect({ order, outcome }).toEqual({
      order: ['find'],
      outcome: { kind: 'unknown', reason: 'down', review: expect.any(String) as unknown },
    });
  });

  it('does not rely on the last tenth of the window', async () => {
    expect((await asked({ ageMs: 0.89 * DAY })).order).toEqual(['send']);
    expect((await asked({ ageMs: 0.91 * DAY })).order).toEqual(['find', 'send']);
  });

  it('never doubts the age of a key that the provider keeps for ever', async () => {
    expect((await asked({ ageMs: 1_000 * DAY, window: Infinity })).order).toEqual(['send']);
  });
});

describe('what the provider has taken and not decided', () => {
  const HOUR = DAY / 24;
  const pending: Outcome = { kind: 'pending', providerReference: 'pi_1', reason: 'processing' };

  it('is read by its id, and never sent, at any attempt and age', async () => {
    for (const ageMs of [0, DAY, 30 * DAY]) {
      expect(await asked({ known: true, attempt: 9, ageMs, found: succeeded })).toEqual({ order: ['find'], outcome: succeeded });
      expect((await asked({ known: true, attempt: 9, ageMs, found: new Error('down') })).order).toEqual(['find']);
      expect((await asked({ known: true, attempt: 9, ageMs, found: null })).order).toEqual(['find']);
    }
  });

  it.each([
    [10_000, 5_000],
    [2 * HOUR, HOUR],
    [11 * HOUR, 5.5 * HOUR],
    [DAY, 6 * HOUR],
    [20 * DAY, 6 * HOUR],
  ])('aged %i ms is asked for again after %i', async (ageMs, againMs) => {
    expect((await asked({ sent: pending, ageMs, window: Infinity })).outcome).toMatchObject({ kind: 'pending', againMs });
    expect((await asked({ known: true, found: pending, ageMs })).outcome).toMatchObject({ kind: 'pending', againMs });
    expect((await asked({ known: true, found: new Error('down'), ageMs })).outcome).toMatchObject({ kind: 'unknown', againMs });
  });

  it('needs a person after three days, and not before', async () => {
    for (const found of [pending, new Error('down')]) {
      expect((await asked({ known: true, attempt: 30, found, ageMs: 2.9 * DAY })).outcome).not.toHaveProperty('review');
      expect((await asked({ known: true, found, ageMs: 3.1 * DAY })).outcome).toMatchObject({
        review: expect.stringContaining('3 days') as unknown,
      });
    }
  });
});

describe('referenceOf', () => {
  it('is the same for the same key, differs for others, and has only letters that a search can quote', () => {
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    expect(referenceOf(a)).toBe(referenceOf(a));
    expect(referenceOf(a)).not.toBe(referenceOf(b));
    expect(referenceOf(a)).toMatch(/^hf_\w{40}$/);
  });
});
