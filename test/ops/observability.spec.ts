import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse } from 'yaml';
import { KINDS } from '../../src/audit/auditor.js';
import { parseConfig } from '../../src/kernel/config.js';
import { METRICS, type Declaration } from '../../src/observability/metrics.js';
import { blocksOf, marked, read, rowsOf } from '../docs/markdown.js';
import { environmentOf, readCompose } from '../support/compose.js';
import { selectorsOf, type Selector } from './promql.js';

interface Rule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

interface Panel {
  type: string;
  title: string;
  targets?: { expr: string; legendFormat: string }[];
  fieldConfig?: { defaults: { unit?: string } };
  gridPos: { x: number; y: number; w: number; h: number };
}

const rules = (parse(read('ops/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(read('ops/grafana/holdfast.json')) as { panels: Panel[] };
const shown = panels.filter(({ type }) => type !== 'row');
const runbooks = readdirSync('ops/runbooks').filter((name) => name.endsWith('.md'));

/** What Prometheus itself adds to every series, or makes. */
const PROMETHEUS = { labels: ['instance', 'job'], metrics: { up: {}, ALERTS: { alertstate: ['firing', 'pending'] } } };
const declared = new Map<string, Declaration>(Object.entries(METRICS));

/** The labels that a metric has, with their values where those are listed; undefined where there is no such metric. */
function labelsOf(metric: string, ofNode: readonly string[]): Declaration['labels'] | undefined {
  if (metric in PROMETHEUS.metrics) return PROMETHEUS.metrics[metric as 'ALERTS'];
  if (ofNode.includes(metric)) return {};
  const stem = /^(.*)_(bucket|count|sum)$/.exec(metric)?.[1];
  if (stem !== undefined && declared.get(stem)?.type === 'histogram') return { ...declared.get(stem)?.labels, le: 'a bound' };
  return declared.get(metric)?.type === 'histogram' ? undefined : declared.get(metric)?.labels;
}

/** What of a selector isn't declared: nothing, or a sentence. */
function flawOf({ metric, matchers }: Selector, ofNode: readonly string[]): string | undefined {
  const labels = labelsOf(metric, ofNode);
  if (!labels) return `there is no metric ${metric}`;
  for (const { label, operator, value } of matchers) {
    if (PROMETHEUS.labels.includes(label)) continue;
    const known = label === 'kind' ? KINDS : labels[label];
    if (known === undefined) return `${metric} has no label ${label}`;
    if (typeof known === 'string' || value.startsWith('$')) continue;
    // Each alternative must be there, or one that was renamed goes unnoticed.
    const missed = (operator.endsWith('~') ? value.split('|') : [value]).filter((each) => !known.includes(each));
    if (missed.length > 0) return `${label} of ${metric} is never ${missed.join(', ')}`;
  }
}

let ofNode: string[];
beforeAll(async () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  ofNode = (await registry.getMetricsAsJSON()).map(({ name }) => name);
});
const flawsOf = (expression: string): (string | undefined)[] =>
  selectorsOf(expression.replaceAll('$__rate_interval', '1m'))
    .map((selector) => flawOf(selector, ofNode))
    .filter((flaw) => flaw !== undefined);

describe('alerts', () => {
  it.each(rules)('$alert reads metrics, labels and values that are declared', ({ expr }) => {
    expect(selectorsOf(expr).length).toBeGreaterThan(0);
    expect(flawsOf(expr)).toEqual([]);
  });

  it.each(rules)('$alert says how severe it is, what is wrong, and where its runbook is', ({ alert, labels, annotations }) => {
    expect(['critical', 'warning']).toContain(labels['severity']);
    expect(annotations).toEqual({ summary: expect.stringMatching(/^.{20,120}\.$/), runbook: `ops/runbooks/${alert}.md` });
  });

  it('each has its runbook, and each runbook its alert', () => {
    expect(runbooks).toEqual(rules.map(({ alert }) => `${alert}.md`).sort());
  });

  it('each is tested where it fires, and where it must not', () => {
    const { tests } = parse(read('ops/prometheus/alerts.test.yml')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const cases = tests.flatMap((test) => test.alert_rule_test);
    const names = (fires: boolean): string[] => [
      ...new Set(cases.filter((each) => each.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname)),
    ];
    const all = rules.map(({ alert }) => alert).sort();
    expect([names(true).sort(), names(false).sort()]).toEqual([all, all]);
  });

  it('notice every kind of difference that the audit knows', () => {
    const asked = rules.flatMap(({ expr }) => selectorsOf(expr)).filter(({ metric }) => metric === 'holdfast_audit_differences');
    const hits = (kind: string): number =>
      asked.filter(({ matchers }) =>
        matchers.every(({ operator, value }) => new RegExp(`^(?:${value})$`).test(kind) === (operator === '=~')),
      ).length;
    // A payment that is flagged has an alert without the audit.
    expect(KINDS.filter((kind) => hits(kind) !== (kind === 'needs-review' ? 0 : 1))).toEqual([]);
  });
});

it('the alerts are listed with their severity', () => {
  const listed = rowsOf(marked(read('docs/production.md'), 'alerts')).map(([name, severity]) => [
    name?.replace(/^\[(\w+)\].*$/, '$1'),
    severity,
  ]);
  expect(listed).toEqual(rules.map(({ alert, labels }) => [alert, labels['severity']]));
});

describe('the dashboard', () => {
  it('is the one that its script draws', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-dashboard-'));
    execFileSync(process.execPath, ['ops/grafana/dashboard.mjs', directory]);
    expect(read('ops/grafana/holdfast.json')).toBe(readFileSync(join(directory, 'holdfast.json'), 'utf8'));
    rmSync(directory, { recursive: true });
  });

  it.each(shown)('$title: reads what is declared, and has a unit', ({ targets = [], fieldConfig }) => {
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.flatMap(({ expr }) => flawsOf(expr))).toEqual([]);
    expect(['s', 'none', 'reqps', 'ops', 'percentunit', 'bytes']).toContain(fieldConfig?.defaults.unit);
  });

  it.each(shown)('$title: names in its legends labels that are left', ({ targets = [] }) => {
    const unknown = targets.flatMap(({ expr, legendFormat }) => {
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? PROMETHEUS.labels;
      return named.filter((label) => !kept.includes(label));
    });
    expect(unknown).toEqual([]);
  });

  it('shows every metric of the service', () => {
    const read = shown.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => selectorsOf(expr.replaceAll('$__rate_interval', '1m'))));
    const names = new Set(read.map(({ metric }) => metric.replace(/_bucket$/, '')));
    // Of the time of the last audit, the alert is the better picture.
    expect([...declared.keys()].filter((name) => !names.has(name))).toEqual(['holdfast_audit_timestamp_seconds']);
  });

  it('has its panels beside each other, none over another', () => {
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = 0; x < gridPos.w; x += 1) {
        for (let y = 0; y < gridPos.h; y += 1) {
          const place = `${gridPos.x + x} ${gridPos.y + y}`;
          expect(taken).not.toContain(place);
          taken.add(place);
        }
      }
    }
  });
});

describe.each(runbooks)('%s', (name) => {
  const text = read(`ops/runbooks/${name}`);

  it('says what it means, how to see it, what to do, and how to reproduce it', () => {
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
    const sections = ['What it means', 'How to see it', 'What to do', 'Reproduce it here'];
    expect(headings).toEqual([name.replace(/\.md$/, ''), ...sections]);
  });

  it('reads metrics that are declared', () => {
    const expressions = blocksOf(text).filter(({ language }) => language === 'promql');
    expect(expressions.length).toBeGreaterThan(0);
    expect(expressions.flatMap((block) => flawsOf(block.text))).toEqual([]);
    const named = [
      ...text.matchAll(/\b(?:idempotency|payments|webhooks|database|holdfast|process|nodejs)_[a-z0-9_]+_(?:total|seconds|bytes)\b/g),
    ];
    expect(named.map(([metric]) => metric).filter((metric) => !declared.has(metric) && !ofNode.includes(metric))).toEqual([]);
  });
});

describe('compose', () => {
  const { services } = readCompose();

  it('has Prometheus ask each replica where it shows its metrics', () => {
    const replicas = Object.entries(services).filter(([, { build, command }]) => build !== undefined && command === undefined);
    const places = replicas.map(([host, replica]) => `${host}:${parseConfig(environmentOf(replica)).internalPort}`);
    const { scrape_configs: jobs } = parse(read('ops/prometheus/prometheus.yml')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    expect(jobs.map(({ job_name, static_configs }) => [job_name, static_configs])).toEqual([['holdfast', [{ targets: places }]]]);
  });

  it('gives Grafana the dashboard where its provider looks for it, and Prometheus as the source that it names', () => {
    const provider = parse(read('ops/grafana/provisioning/dashboards/holdfast.yml')) as { providers: { options: { path: string } }[] };
    expect(services['grafana']?.volumes).toContain(`./ops/grafana/holdfast.json:${provider.providers[0]?.options.path}/holdfast.json:ro`);
    const source = parse(read('ops/grafana/provisioning/datasources/prometheus.yml')) as { datasources: { uid: string; url: string }[] };
    expect(source.datasources).toEqual([expect.objectContaining({ uid: 'prometheus', url: 'http://prometheus:9090' })]);
    expect(services['prometheus']?.volumes).toContain('./ops/prometheus:/etc/prometheus:ro');
  });
});
