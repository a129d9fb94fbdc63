/** One line of Prometheus' text format. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** The samples of each metric, by its name. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Record<string, string> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** Reads Prometheus' text format (version 0.0.4); lines that it doesn't know are passed over. */
export function readExposition(text: string): Samples {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const sample = { labels: labelsOf(labels), value: numberOf(value) };
    const known = samples.get(name);
    if (known) known.push(sample);
    else samples.set(name, [sample]);
  }
  return samples;
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\[n"\\]/g, (escape) => ESCAPES[escape] ?? escape),
    ]),
  );
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}

/** The sum of a metric's samples that `which` takes; undefined where the server has no such metric. */
export function sumOf(samples: Samples, name: string, which: (labels: Record<string, string>) => boolean = () => true): number | undefined {
  const found = samples.get(name);
  return found?.reduce((sum, { labels, value }) => (which(labels) ? sum + value : sum), 0);
}
