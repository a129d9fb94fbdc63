import type { Sample } from './measure.js';
import { quotients, rounded, spread, type Spread } from './statistics.js';

/** How one of several ways to serve the same requests did: CPU time of a request in microseconds, and its ratios to the first way in the same rounds. */
export interface Way {
  nodeUs: Spread;
  totalUs: Spread;
  nodeRatio: Spread;
  totalRatio: Spread;
  /** Requests a second, as a ratio. */
  paceRatio: Spread;
}

/** Compares each way with the baseline, round by round. */
export function compareWays<Name extends string>(samples: Partial<Record<Name, Sample[]>>, baseline: NoInfer<Name>): Record<Name, Way> {
  const of = (name: Name, figure: 'nodeUs' | 'totalUs' | 'perSecond'): number[] =>
    (samples[name] ?? []).map((sample) => sample[figure] ?? NaN);
  const ratio = (name: Name, figure: 'nodeUs' | 'totalUs' | 'perSecond'): Spread =>
    spread(quotients(of(name, figure), of(baseline, figure)));
  const ways = (Object.keys(samples) as Name[]).sort((a, b) => Number(b === baseline) - Number(a === baseline));
  const entries = ways.map((name): [Name, Way] => [
    name,
    {
      nodeUs: spread(of(name, 'nodeUs')),
      totalUs: spread(of(name, 'totalUs')),
      nodeRatio: ratio(name, 'nodeUs'),
      totalRatio: ratio(name, 'totalUs'),
      paceRatio: ratio(name, 'perSecond'),
    },
  ]);
  return Object.fromEntries(entries) as Record<Name, Way>;
}

/** A table in Markdown: medians, with the lowest and the highest round behind each. */
export function tableOf(title: string, ways: Record<string, Way>): string {
  const words = ({ median, low, high }: Spread): string => `${rounded(median)} (${rounded(low)} to ${rounded(high)})`;
  const lines = Object.entries(ways).map(([name, way]) => {
    const figures = [way.nodeUs, way.nodeRatio, way.totalUs, way.totalRatio, way.paceRatio];
    return `| ${[name, ...figures.map(words)].join(' | ')} |`;
  });
  const head = [
    `| ${title} | Node, CPU µs | ratio | with PostgreSQL | ratio | requests/s, ratio |`,
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return [...head, ...lines].join('\n');
}
