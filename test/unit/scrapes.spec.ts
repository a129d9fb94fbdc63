import { Metrics } from '../../src/observability/metrics.registry.js';
import { eventually } from '../support/eventually.js';

/** A table of one number, whose reader takes the number at once and answers when it is let. */
class SlowTable {
  value = 0;
  readonly waiting: (() => void)[] = [];
  reads = 0;

  async read(show: (value: number) => void): Promise<void> {
    this.reads += 1;
    const { value } = this;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    show(value);
  }

  /** Resolves when it is being read. */
  async asked(): Promise<void> {
    await eventually('a reading', () => this.waiting.length > 0);
  }

  async answer(): Promise<void> {
    await this.asked();
    this.waiting.shift()?.();
  }
}

const shownIn = (text: string, name: string): string | undefined => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];

let metrics: Metrics;
let table: SlowTable;
beforeEach(() => {
  metrics = new Metrics();
  table = new SlowTable();
  metrics.readTables(['payments_for_review'], () => table.read((value) => metrics.show('payments_for_review', {}, value)));
});

/** What a scrape shows that begins now. */
const scrape = async (): Promise<string | undefined> => shownIn(await metrics.scrape(), 'payments_for_review');

it('a scrape shows nothing that was read before it began', async () => {
  table.value = 1;
  const first = scrape();
  await table.asked();
  table.value = 2;
  const second = scrape();
  await table.answer();
  expect(await first).toBe('1');
  await table.answer();
  expect(await second).toBe('2');
});

it('those that come while one is read share the next reading, and the one after that begins anew', async () => {
  const first = scrape();
  const others = [scrape(), scrape(), scrape()];
  await table.answer();
  await first;
  await table.asked();
  table.value = 5;
  const last = scrape();
  await table.answer();
  expect(new Set(await Promise.all(others))).toEqual(new Set(['0']));
  await table.answer();
  expect([await last, table.reads]).toEqual(['5', 3]);
});

it('what a hanging reading has read before is not shown to those that came later', async () => {
  metrics.readTables(['payments_gate_closed'], () => new Promise(() => undefined));
  const first = metrics.scrape();
  await table.answer();
  const before = await first;
  const after = await metrics.scrape();
  expect([shownIn(before, 'payments_for_review'), shownIn(before, 'payments_gate_closed')]).toEqual(['0', 'Nan']);
  expect([shownIn(after, 'payments_for_review'), shownIn(after, 'payments_gate_closed')]).toEqual(['Nan', 'Nan']);
});
