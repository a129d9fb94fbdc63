import type { Outcome } from '../../client/src/index.js';
import { Trip } from '../../client/src/trip.js';
import { readVectors } from './support/vectors.js';
import { marked, read } from '../docs/markdown.js';

type Case = ReturnType<typeof readVectors<'verdicts'>>['cases'][number];

const UNAUTHORIZED = new Set([401, 403, 407]);
const BEFORE_THE_KEY = new Set([400, 404, 405, 406, 411, 413, 414, 415, 417, 421, 422, 426, 428, 431, 501]);

const told = ({ body }: Case): { code?: string; retry?: string; operationId?: string } => (typeof body === 'object' ? (body ?? {}) : {});
const verdict = (each: Case): string | undefined => told(each).retry;
const isReplay = ({ headers }: Case): boolean => headers['idempotent-replayed'] === 'true';
const isLookedAt = (each: Case): boolean => isReplay(each) || 'operation-id' in each.headers || told(each).operationId !== undefined;
const asksToWait = ({ headers }: Case): boolean => 'retry-after' in headers;
const within = ({ status }: Case, least: number): boolean => status >= least && status < least + 100;

/** The responses of the table, in its words and order: the first that fits counts. What is no response is in no vector. */
const RESPONSES: [response: string, fits: (each: Case) => boolean][] = [
  ['202 with `Retry-After`, unless it is a replay', (each) => each.status === 202 && asksToWait(each) && !isReplay(each)],
  ['other 2xx', (each) => within(each, 200)],
  ['304', ({ status }) => status === 304],
  ['other 3xx', (each) => within(each, 300)],
  ['410 `idempotency-key-expired`', (each) => each.status === 410 && told(each).code === 'idempotency-key-expired'],
  ['409 with verdict `same-key`: in progress', (each) => each.status === 409 && verdict(each) === 'same-key'],
  ['verdict `same-key`', (each) => verdict(each) === 'same-key'],
  [
    '401, 403, 407 in doubt, without a sign that the key was looked at',
    (each) => UNAUTHORIZED.has(each.status) && each.inDoubt && !isLookedAt(each),
  ],
  [
    '400, 404–406, 411, 413–415, 417, 421, 422, 426, 428, 431, 501 in doubt, without such a sign',
    (each) => BEFORE_THE_KEY.has(each.status) && each.inDoubt && !isLookedAt(each),
  ],
  ['`idempotency-key-reused` in doubt', (each) => told(each).code === 'idempotency-key-reused' && each.inDoubt],
  ['401, 403, 407', ({ status }) => UNAUTHORIZED.has(status)],
  ['verdict `new-key`', (each) => verdict(each) === 'new-key'],
  ['verdict `never`', (each) => verdict(each) === 'never'],
  ['5xx that is a replay', (each) => within(each, 500) && isReplay(each)],
  ['408, 425, 429, 5xx but 501', (each) => [408, 425, 429].includes(each.status) || (within(each, 500) && each.status !== 501)],
  ['402', ({ status }) => status === 402],
  [
    '409 in doubt or with `Retry-After`, unless it is a replay',
    (each) => each.status === 409 && (each.inDoubt || asksToWait(each)) && !isReplay(each),
  ],
  ['other 409', ({ status }) => status === 409],
  ['other 4xx, 501', (each) => within(each, 400) || each.status === 501],
  ['none: cut off, timed out, cut short, no JSON where it was announced', () => false],
];

const rows = marked(read('client/README.md'), 'responses')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, response = '', act = '']) => ({ response, act }));

const { cases } = readVectors('verdicts');
const fitting = (each: Case): number => RESPONSES.findIndex(([, fits]) => fits(each));

it('the table of responses has these rows, and each response is in a vector', () => {
  expect(rows.map(({ response }) => response)).toEqual(RESPONSES.map(([response]) => response));
  const found = new Set(cases.map(fitting));
  expect(rows.filter((_row, index) => !found.has(index)).map(({ response }) => response)).toEqual([rows.at(-1)?.response]);
});

it.each(cases)('the client does what the table says: $name', (each) => {
  const { act = '' } = rows[fitting(each)] ?? {};
  const { status, headers, body, inDoubt } = each;
  const parcel = { url: '', method: 'POST', headers: { 'idempotency-key': 'k' }, body: null, reason: 'manual' } as const;
  const trip = new Trip({ ...parcel, earlierAttempts: inDoubt ? 1 : 0 }, 5);
  const outcome = trip.take({ answer: { status, headers, body } });
  if (!outcome) return expect(act).toMatch(trip.isUnderWay ? /^asks again/ : /^sends it again/);
  // In code, at the beginning; what is behind it says why.
  const claims = [...(/^`[^`]+`(?:, `[^`]+`)*/.exec(act)?.[0].matchAll(/`([^`]+)`/g) ?? [])].map(([, claim]) => claim);
  expect(claims[0]).toBe(outcome.kind);
  expect(factsOf(outcome)).toEqual(expect.arrayContaining(claims));
});

function factsOf(outcome: Outcome): string[] {
  if (outcome.kind === 'unknown') return [outcome.kind, outcome.reason];
  if (outcome.kind === 'done') return [outcome.kind];
  return [outcome.kind, `newKeyMakesSense: ${outcome.newKeyMakesSense}`, ...(outcome.resendable ? ['resendable'] : [])];
}
