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
}: {
  attempt?: number;
  ageMs?: number;
  window?: number;
  sent?: Outcome;
  found?: Found | Error;
}) {
  const order: string[] = [];
  const outcome = await ask({ attempt, ageMs } as StepRun, window, {
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

describe('referenceOf', () => {
  it('is the same for the same key, differs for others, and has only letters that a search can quote', () => {
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    expect(referenceOf(a)).toBe(referenceOf(a));
    expect(referenceOf(a)).not.toBe(referenceOf(b));
    expect(referenceOf(a)).toMatch(/^hf_\w{40}$/);
  });
});
