import type { TestApp } from './app.js';

/** The series of one scrape. */
export class Series {
  private readonly all: { name: string; labels: Record<string, string>; value: number }[];

  private constructor(text: string) {
    this.all = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [, name = '', labels = '', value = ''] = /^([a-z_A-Z0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
        const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', said = '']) => [label, said]);
        return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: value === 'Nan' ? Number.NaN : Number(value) };
      });
  }

  /** Scrapes a replica. */
  static async of(app: Pick<TestApp, 'send'>): Promise<Series> {
    return new Series((await app.send('GET', '/metrics', { as: null })).text);
  }

  /** The sum of all series of that name with these labels; undefined without any. */
  sum(name: string, labels: Record<string, string> = {}): number | undefined {
    const found = this.all.filter(
      (each) => each.name === name && Object.entries(labels).every(([label, value]) => each.labels[label] === value),
    );
    return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
  }

  /** The names of the series, and the labels of each. */
  get names(): Map<string, string[]> {
    return new Map(this.all.map(({ name, labels }) => [name, Object.keys(labels)]));
  }
}
