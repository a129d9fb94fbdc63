import type { Outcome, Reading, Said, Standing, StandingReading } from './provider.js';

/** What is compared, with the words for it. Whatever else an answer has is the provider's business. */
const COMPARED = {
  account: 'account',
  reference: 'reference',
  chargeId: 'charge',
  amount: 'amount',
  currency: 'currency',
} satisfies Partial<Record<keyof Said, string>>;

/** Milliseconds until an answer that was about something else is asked for again: it will hardly change, and a person looks at it meanwhile. */
const AGAIN = 3_600_000;

/** In words, where an answer is about something else than was asked; null where it isn't. What it doesn't tell can't differ. */
function difference(asked: Said, said: Said): string | null {
  const members = Object.keys(COMPARED) as (keyof typeof COMPARED)[];
  const found = members.filter((member) => said[member] !== undefined && said[member] !== asked[member]);
  if (found.length === 0) return null;
  return found.map((member) => `${COMPARED[member]} ${said[member]} instead of ${asked[member]}`).join(', ');
}

/** The outcome, if the answer is about what was asked; else nothing is known, and a person must look. */
export function judge(asked: Said, reading: Reading): Outcome {
  if (!('said' in reading)) return reading;
  const { said, ...outcome } = reading;
  const differs = difference(asked, said);
  if (differs === null) return outcome;
  const reason = wordsFor(differs);
  return { kind: 'unknown', reason, answered: true, review: reason, againMs: AGAIN };
}

/** The same of how a charge stands: whatever another one does, this one is in trouble. */
export function judgeStanding(asked: Said, { said, ...standing }: StandingReading): Standing {
  const differs = difference(asked, said);
  return differs === null ? standing : { trouble: wordsFor(differs), returned: 0 };
}

function wordsFor(differs: string): string {
  return `the provider answered with ${differs}`;
}
