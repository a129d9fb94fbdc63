import { BOUNDARIES, type Boundary } from './support/boundaries.js';
import { CrashWorld } from './support/crash-world.js';
import { CLIENTS, STRIKES, runRound, type Cell, type CellEnd } from './support/round.js';

const world = new CrashWorld();
const ends = new Map<string, CellEnd>();
const nameOf = ({ boundary, client, strike }: Cell): string => `${strike} | ${boundary.name} | ${client}`;

/** Cells that cannot be reached, by name, with the reason. There are none: each boundary can be held from outside, and struck there. */
const UNREACHABLE = new Map<string, string>();

beforeAll(() => world.start(), 60_000);
afterAll(() => world.close());
afterAll(() => {
  process.stdout.write(`\n${table()}\n`);
});

describe.each(STRIKES)('%s', (strike) => {
  beforeAll(async () => {
    for (const [cell, end] of await runRound(world, strike, BOUNDARIES)) ends.set(nameOf(cell), end);
  }, 240_000);

  const cells = BOUNDARIES.flatMap((boundary) => CLIENTS.map((client) => ({ boundary, client, strike, where: boundary.name })));
  it.each(cells.filter((cell) => !UNREACHABLE.has(nameOf(cell))))('$where, the client $client: at most one charge, one answer', (cell) => {
    const end = ends.get(nameOf(cell));
    if (!end) throw new Error('this cell has no end');
    expectOneEffect(end, mustHappen(cell));
    expectOneAnswer(end);
    if (cell.client === 'retries') expectAnAnswer(end);
    if (changesHands(cell)) expectAnotherRunner(end);
  });
});

/** Once the record is committed somebody finishes it; and a client that comes back gets what it asked for. */
function mustHappen({ boundary, client }: Cell): boolean {
  return boundary.committed === 'yes' || client === 'retries';
}

/** Shows that the strike met the payment where it was meant to: somebody else had to finish it. */
function changesHands({ boundary, strike }: Cell): boolean {
  return boundary.unsettled && (strike === 'kill -9' || (strike === 'SIGSTOP past the lease' && boundary.name !== 'after the answer'));
}

function expectOneEffect({ payments, charges, order, records }: CellEnd, must: boolean): void {
  const happened = must || payments.length > 0 || charges > 0 || records.length > 0;
  expect({ payments, charges, order, records: records.map(({ status, responseStatus }) => `${status} ${responseStatus}`) }).toEqual(
    happened
      ? { payments: ['succeeded'], charges: 1, order: 'paid', records: ['completed 201'] }
      : { payments: [], charges: 0, order: 'pending', records: [] },
  );
}

function expectOneAnswer({ answers, records: [record] }: CellEnd): void {
  for (const { status, text } of answers) expect([status, text]).toEqual([record?.responseStatus, record?.body]);
}

function expectAnAnswer({ answers }: CellEnd): void {
  expect(answers.length).toBeGreaterThan(0);
}

function expectAnotherRunner({ records: [record] }: CellEnd): void {
  expect(record?.attempt).toBeGreaterThan(1);
}

/** The matrix as the README shows it: payments here = charges at the provider, and when the record was final after the strike. */
function table(): string {
  const shown = (cell: Cell): string => {
    const end = ends.get(nameOf(cell));
    const seconds = end?.finalAfterMs === undefined ? '' : `, ${(end.finalAfterMs / 1_000).toFixed(1)} s`;
    return UNREACHABLE.get(nameOf(cell)) ?? (end ? `${end.payments.length} = ${end.charges}${seconds}` : 'not run');
  };
  const row = (boundary: Boundary, client: Cell['client']): string =>
    `| ${[boundary.name, client, ...STRIKES.map((strike) => shown({ boundary, client, strike }))].join(' | ')} |`;
  const head = ['struck', 'the client', ...STRIKES];
  return [
    `| ${head.join(' | ')} |`,
    `| ${head.map(() => '---').join(' | ')} |`,
    ...BOUNDARIES.flatMap((boundary) => CLIENTS.map((client) => row(boundary, client))),
  ].join('\n');
}
