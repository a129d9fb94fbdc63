import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { METRICS, type Declaration } from './metrics.js';

type Declared = typeof METRICS;
type Name = keyof Declared;
type NamesOf<Type> = { [N in Name]: Declared[N]['type'] extends Type ? N : never }[Name];
type NamesOfTables = { [N in Name]: Declared[N]['of'] extends 'database' ? N : never }[Name];

/** The labels of a metric, no more and no fewer, with their values. */
export type LabelsOf<N extends Name> = {
  [Label in keyof Declared[N]['labels']]: Declared[N]['labels'][Label] extends readonly (infer Value extends string)[] ? Value : string;
};

/** Figures of the tables, read at each scrape. */
interface Reading {
  names: readonly NamesOfTables[];
  read: () => Promise<void>;
}

/** All readings, one after the other. */
interface Round {
  /** What is still to be read. */
  left: ReadonlySet<Reading>;
  done: Promise<void>;
}

/** A scrape waits no longer than this for figures of the tables, in milliseconds. */
const PATIENCE_MS = 1_000;

const declarations: [name: string, declaration: Declaration][] = Object.entries(METRICS);

/** Counts and shows what `METRICS` declares, and nothing else. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly counters = new Map<string, Counter>();
  private readonly gauges = new Map<string, Gauge>();
  private readonly histograms = new Map<string, Histogram>();
  /** By name and labels: to look a child up anew costs several times as much as to count under it. */
  private readonly countersInUse = new Map<string, Counter.Internal>();
  private readonly histogramsInUse = new Map<string, Histogram.Internal<string>>();
  private readonly momentary: (() => void)[] = [];
  private readonly readings: Reading[] = [];
  private round: Round | undefined;
  /** For those who have come while the other one was under way. */
  private nextRound: Round | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const [name, { type, help, labels, buckets = [] }] of declarations) {
      const settings = { name, help, labelNames: Object.keys(labels), registers: [this.registry] };
      if (type === 'counter') this.counters.set(name, new Counter(settings));
      else if (type === 'gauge') this.gauges.set(name, new Gauge(settings));
      else this.histograms.set(name, new Histogram({ ...settings, buckets: [...buckets] }));
      // A series that begins at its first event would hide that one from whoever asks for an increase.
      for (const each of combinations(labels)) {
        this.counters.get(name)?.inc(each, 0);
        this.histograms.get(name)?.zero(each);
      }
    }
  }

  /** Adds to a counter: one, unless told otherwise. */
  count<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by = 1): void {
    const id = idOf(name, labels);
    let counter = this.countersInUse.get(id);
    if (!counter) this.countersInUse.set(id, (counter = present(this.counters, name).labels(labels)));
    counter.inc(by);
  }

  /** Notes a value in a histogram. */
  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void {
    const id = idOf(name, labels);
    let histogram = this.histogramsInUse.get(id);
    if (!histogram) this.histogramsInUse.set(id, (histogram = present(this.histograms, name).labels(labels)));
    histogram.observe(value);
  }

  /** Shows a value. */
  show<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void {
    present(this.gauges, name).set(labels, value);
  }

  /** Shows nothing under this name any more. */
  forget(name: NamesOf<'gauge'>): void {
    present(this.gauges, name).reset();
  }

  /** Has `show` called with what this process knows at the moment of each scrape. */
  atScrape(show: () => void): void {
    this.momentary.push(show);
  }

  /**
   * Has `read` ask the database at each scrape and show these gauges. One after the other, so that all of them together take one
   * connection. Where it fails or takes too long they are NaN: the other metrics are wanted most then.
   */
  readTables(names: readonly NamesOfTables[], read: () => Promise<void>): void {
    this.readings.push({ names, read });
  }

  /** All metrics as of this moment, in Prometheus' text format. */
  async scrape(): Promise<string> {
    for (const show of this.momentary) show();
    const { left, done } = this.freshRound();
    await Promise.race([done, sleep(PATIENCE_MS, undefined, { ref: false })]);
    for (const { names } of left) this.showUnknown(names);
    return this.registry.metrics();
  }

  /** A round that begins no earlier than now; several scrapes share one. */
  private freshRound(): Round {
    if (this.round) return (this.nextRound ??= this.beginRound(this.round.done));
    return (this.round = this.beginRound());
  }

  private beginRound(after?: Promise<void>): Round {
    const left = new Set(this.readings);
    return { left, done: this.readAll(left, after) };
  }

  private async readAll(left: Set<Reading>, after: Promise<void> | undefined): Promise<void> {
    await after;
    for (const reading of this.readings) {
      await reading.read().catch(() => this.showUnknown(reading.names));
      left.delete(reading);
    }
    this.round = this.nextRound;
    this.nextRound = undefined;
  }

  private showUnknown(names: readonly string[]): void {
    for (const [name, { labels }] of declarations) {
      if (names.includes(name)) for (const each of combinations(labels)) this.gauges.get(name)?.set(each, Number.NaN);
    }
  }
}

/** All combinations of labels whose values are listed; none where those of one are not. */
function combinations(labels: Declaration['labels']): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    const listed = typeof values === 'string' ? [] : values;
    all = all.flatMap((each) => listed.map((value) => Object.assign({ [label]: value }, each)));
  }
  return all;
}

function idOf(name: string, labels: Record<string, string>): string {
  let id = name;
  for (const label in labels) id += `\0${labels[label]}`;
  return id;
}

function present<Metric>(metrics: Map<string, Metric>, name: string): Metric {
  const metric = metrics.get(name);
  if (!metric) throw new Error(`no metric is named ${name}`);
  return metric;
}
