import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holds, reckon, type Books } from '../../demo/books.js';
import { blocksOf, marked, read } from '../docs/markdown.js';
import { run, start } from '../support/built-process.js';
import { eventually } from '../support/eventually.js';

// A place of its own, to see what is left in it.
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'holdfast-test-demo-'));
  // The database server's account must be able to enter.
  chmodSync(place, 0o755);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Ids and keys differ from run to run; so do how often the provider is asked, and whether the retry or the recoverer has it told. */
const normalized = (text: string): string =>
  text
    .replaceAll(/\b(ord|pay)_[0-9a-z]{26}\b/g, '$1_')
    .replaceAll(/\bch_[0-9a-f]{32}\b/g, 'ch_')
    .replaceAll(/\b(order|pay)-[0-9a-f]{8}\b/g, '$1-')
    .replaceAll(/asked \d+ times/g, 'asked N times')
    .replaceAll(', Idempotent-Replayed: true: pay_', ': pay_');

describe('npm run demo', () => {
  it('tells what README.md shows, ends with one order and one charge, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run('demo/main.js', [], { TMPDIR: place, CI: 'true' });
    expect([code, stderr, readdirSync(place)]).toEqual([0, '', []]);
    const [shown] = blocksOf(marked(read('README.md'), 'demo'));
    expect(normalized(stdout).trim()).toBe(normalized(shown?.text ?? '').trim());
    expect(stdout.trim().split('\n').at(-1)).toBe('One order, one charge.');
  }, 240_000);

  it('has colours where they are wanted, and is ended by Ctrl-C with nothing left behind', async () => {
    const demo = start('demo/main.js', [], { TMPDIR: place, FORCE_COLOR: '1' });
    try {
      await eventually('the first scene', () => demo.output().includes('An order whose answer is lost'), 120_000);
    } finally {
      demo.child.kill('SIGINT');
    }
    const { code, stdout } = await demo.ended;
    expect([code, readdirSync(place)]).toEqual([130, []]);
    expect(stdout).toContain('\u001B[1mHoldfast');
  }, 180_000);
});

describe('the reckoning', () => {
  const right: Books = {
    orders: [{ id: 'o', total: 2_500, status: 'paid' }],
    payments: [{ status: 'succeeded', charge: 'ch_1' }],
    taken: 1,
    charges: [{ id: 'ch_1', amount: 2_500 }],
    asked: ['k', 'k'],
  };
  const broken = (books: Books): string[] =>
    reckon(books)
      .filter((line) => !holds(line))
      .map(({ what }) => what);

  it('finds nothing in books that are right', () => {
    expect(broken(right)).toEqual([]);
  });

  it.each<[string, Partial<Books>, string[]]>([
    [
      'two charges',
      { charges: [...right.charges, { id: 'ch_2', amount: 2_500 }] },
      ['charges at the provider', 'cents taken for the order'],
    ],
    ['no charge', { charges: [] }, ['charges at the provider', 'cents taken for the order', 'charge that the payment names']],
    ['two orders', { orders: [...right.orders, ...right.orders] }, ['orders in the database', 'cents taken for the order']],
    ['two payments', { payments: [...right.payments, ...right.payments] }, ['payments in the database']],
    ['two pieces gone', { taken: 2 }, ['pieces gone from the stock']],
    ['another amount', { charges: [{ id: 'ch_1', amount: 2_499 }] }, ['cents taken for the order']],
    ['another charge', { payments: [{ status: 'succeeded', charge: 'ch_2' }] }, ['charge that the payment names']],
    ['a payment without an outcome', { payments: [{ status: 'processing', charge: 'ch_1' }] }, ['status of order and payment']],
    ['two keys at the provider', { asked: ['k', 'l'] }, ['keys under which it was asked 2 times']],
  ])('notices %s', (_what, wrong, noticed) => {
    expect(broken({ ...right, ...wrong })).toEqual(noticed);
  });
});
