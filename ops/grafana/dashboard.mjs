// Writes the dashboard beside this file: `node ops/grafana/dashboard.mjs`. Another directory may be named.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const WIDTH = 24;
const SOURCE = { type: 'prometheus', uid: '${datasource}' };
const KEYED = '{operation=~"$operation"}';
const REPEATED = 'outcome=~"replayed|waited|in-progress|possible-duplicate"';

/** A quantile of a histogram, all replicas together; `by` tells its lines apart. */
const quantile = (share, metric, by = '', of = '') =>
  `histogram_quantile(${share}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket${of}[$__rate_interval])))`;
/** Per second, all replicas together. */
const rate = (metric, by, of = '') => `sum by (${by}) (rate(${metric}${of}[$__rate_interval]))`;
/** What every replica reads from the same tables. */
const shared = (metric, by = '') => (by ? `max by (${by}) (${metric})` : `max(${metric})`);

const target = ([expr, legendFormat], at) => ({ refId: String.fromCharCode(65 + at), datasource: SOURCE, expr, legendFormat, range: true });

/** Lines over time. `lines` are pairs of an expression and its legend. */
const graph = (title, unit, lines, { description = '', stacked = false, wide = 8 } = {}) => ({
  type: 'timeseries',
  title,
  description,
  size: { w: wide, h: 8 },
  targets: lines.map(target),
  fieldConfig: {
    defaults: {
      unit,
      min: 0,
      custom: { lineWidth: 1, fillOpacity: stacked ? 30 : 5, stacking: { mode: stacked ? 'normal' : 'none', group: 'A' } },
    },
    overrides: [],
  },
  options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } },
});

/** One number of now; from `red` on it is red. */
const number = (title, unit, expr, red, description = '') => ({
  type: 'stat',
  title,
  description,
  size: { w: 3, h: 4 },
  targets: [{ ...target([expr, ''], 0), instant: true, range: false }],
  fieldConfig: {
    defaults: {
      unit,
      noValue: 'unknown',
      color: { mode: 'thresholds' },
      thresholds: {
        mode: 'absolute',
        steps: [{ color: 'green', value: null }, ...(red === undefined ? [] : [{ color: 'red', value: red }])],
      },
    },
    overrides: [],
  },
  options: { colorMode: 'background', graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } },
});

const rows = [
  [
    'Is anything wrong?',
    number('Alerts that fire', 'none', 'count(ALERTS{alertstate="firing"}) or vector(0)', 1, 'Each has a page in ops/runbooks.'),
    number('Audit differences', 'none', 'sum(max by (kind) (holdfast_audit_differences))', 1, '`npm run audit` prints each.'),
    number('Payments flagged', 'none', shared('payments_for_review'), 1, '`npm run review` lists them.'),
    number('Oldest unknown outcome', 's', shared('idempotency_oldest_parked_seconds'), 900),
    number('Oldest unfinished', 's', shared('idempotency_oldest_unfinished_seconds'), 900),
    number('Interrupted operations', 'none', shared('idempotency_records{state="interrupted"}'), 1, 'In nobody’s hands.'),
    number('Webhook endpoints failing', 'none', shared('webhooks_endpoints{state="failing"}'), 1),
    number('Commits unconfirmed', 'none', 'max(idempotency_commits_unconfirmed)', 1, 'No synchronous standby answers.'),
    number('Payments wait after a restore', 'none', shared('payments_gate_closed'), 1),
    number('Replicas', 'none', 'sum(up{job="holdfast"})', undefined, 'That answer /metrics.'),
  ],
  [
    'Requests with a key',
    graph('By outcome', 'reqps', [[rate('idempotency_requests_total', 'outcome', KEYED), '{{outcome}}']], { stacked: true }),
    graph('By operation', 'reqps', [[rate('idempotency_requests_total', 'operation', KEYED), '{{operation}}']], { stacked: true }),
    graph('Shares', 'percentunit', [
      [
        `sum(rate(idempotency_requests_total{operation=~"$operation",${REPEATED}}[$__rate_interval])) / sum(rate(idempotency_requests_total${KEYED}[$__rate_interval]))`,
        'repeats',
      ],
      [
        `sum(rate(idempotency_requests_total{operation=~"$operation",outcome=~"failed|unavailable"}[$__rate_interval])) / sum(rate(idempotency_requests_total${KEYED}[$__rate_interval]))`,
        '5xx',
      ],
    ]),
    graph('First requests', 's', [
      [quantile(0.5, 'idempotency_request_duration_seconds', '', '{operation=~"$operation",answer="first"}'), 'median'],
      [quantile(0.99, 'idempotency_request_duration_seconds', '', '{operation=~"$operation",answer="first"}'), 'p99'],
    ]),
    graph('Replays', 's', [
      [quantile(0.5, 'idempotency_request_duration_seconds', '', '{operation=~"$operation",answer="replay"}'), 'median'],
      [quantile(0.99, 'idempotency_request_duration_seconds', '', '{operation=~"$operation",answer="replay"}'), 'p99'],
    ]),
    graph('First requests, p99 by operation', 's', [
      [quantile(0.99, 'idempotency_request_duration_seconds', 'operation', '{operation=~"$operation",answer="first"}'), '{{operation}}'],
    ]),
  ],
  [
    'Retries',
    graph('By reason, as clients say it', 'reqps', [[rate('idempotency_retries_total', 'reason', KEYED), '{{reason}}']], {
      stacked: true,
      wide: 6,
    }),
    graph(
      'Share that got the final answer',
      'percentunit',
      [
        [
          `${rate('idempotency_retries_succeeded_total', 'reason', KEYED)} / ${rate('idempotency_retries_total', 'reason', KEYED)}`,
          '{{reason}}',
        ],
      ],
      { wide: 6 },
    ),
    graph(
      'Retry-Attempt',
      'none',
      [
        [quantile(0.5, 'idempotency_retry_attempts', '', KEYED), 'median'],
        [quantile(0.99, 'idempotency_retry_attempts', '', KEYED), 'p99'],
      ],
      { wide: 6 },
    ),
    graph(
      'Age of the key at a replay',
      's',
      [
        [quantile(0.5, 'idempotency_replay_age_seconds', '', KEYED), 'median'],
        [quantile(0.99, 'idempotency_replay_age_seconds', '', KEYED), 'p99'],
      ],
      { wide: 6 },
    ),
  ],
  [
    'Unfinished operations and recovery',
    graph('Records without an outcome', 'none', [
      [shared('idempotency_records{state=~"running|parked|interrupted"}', 'state'), '{{state}}'],
    ]),
    graph('Age of the oldest', 's', [
      [shared('idempotency_oldest_unfinished_seconds'), 'without an outcome'],
      [shared('idempotency_oldest_parked_seconds'), 'unknown outside'],
    ]),
    graph('Waiting for a step that a version does not know', 'none', [
      ['max by (instance) (idempotency_unknown_step_operations)', '{{instance}}'],
    ]),
    graph('Taken over', 'ops', [[rate('idempotency_takeovers_total', 'by, found'), '{{by}}, {{found}}']]),
    graph('What that came to', 'ops', [[rate('idempotency_recoveries_total', 'step, result'), '{{step}}: {{result}}']]),
    graph('Fenced writes', 'ops', [[rate('idempotency_fenced_writes_total', 'step'), '{{step}}']], {
      description: 'Somebody else had the operation by then. Some are ordinary after a pause or a kill.',
    }),
  ],
  [
    'Payment provider',
    graph('Calls by outcome', 'ops', [[rate('payments_provider_calls_total', 'outcome'), '{{outcome}}']], { stacked: true }),
    graph(
      'Calls by kind',
      'ops',
      [
        [rate('payments_provider_calls_total', 'call'), '{{call}}'],
        ['sum(rate(payments_provider_held_back_total[$__rate_interval]))', 'charges and refunds held back'],
      ],
      { stacked: true },
    ),
    graph('Duration, p99', 's', [[quantile(0.99, 'payments_provider_call_duration_seconds', 'call'), '{{call}}']]),
  ],
  [
    'Webhooks',
    graph('Attempts by outcome', 'ops', [[rate('webhooks_delivery_attempts_total', 'outcome'), '{{outcome}}']], { stacked: true, wide: 6 }),
    graph(
      'From event to delivery',
      's',
      [
        [quantile(0.5, 'webhooks_delivery_lag_seconds'), 'median'],
        [quantile(0.99, 'webhooks_delivery_lag_seconds'), 'p99'],
      ],
      { wide: 6 },
    ),
    graph('Oldest event that waits', 's', [[shared('webhooks_oldest_pending_seconds', 'endpoint'), 'endpoints that are {{endpoint}}']], {
      wide: 6,
    }),
    graph('Endpoints', 'none', [[shared('webhooks_endpoints', 'state'), '{{state}}']], { stacked: true, wide: 6 }),
    graph('Deliveries that wait', 'none', [[shared('webhooks_pending_deliveries', 'endpoint'), 'endpoints that are {{endpoint}}']], {
      wide: 12,
    }),
    graph(
      'Ended',
      'ops',
      [
        [rate('webhooks_deliveries_total', 'outcome'), '{{outcome}}'],
        [rate('webhooks_endpoints_disabled_total', 'reason'), 'endpoint disabled: {{reason}}'],
      ],
      { wide: 12 },
    ),
  ],
  [
    'Records and archive',
    graph('Records', 'none', [[shared('idempotency_records{state=~"completed|sealed"}', 'state'), '{{state}}']], { wide: 6 }),
    graph('Archive', 'none', [[shared('idempotency_archive_records'), 'keys']], { wide: 6 }),
    graph('Archive on disk', 'bytes', [[shared('idempotency_archive_bytes'), 'with indexes']], { wide: 6 }),
    graph(
      'Purged',
      'ops',
      [
        ['sum(rate(idempotency_archived_total[$__rate_interval]))', 'archived'],
        ['sum(rate(idempotency_forgotten_total[$__rate_interval]))', 'forgotten'],
      ],
      { wide: 6 },
    ),
  ],
  [
    'Connections and turns',
    graph('Connections', 'none', [['sum by (pool, state) (database_pool_connections)', '{{pool}}, {{state}}']], { stacked: true }),
    graph('Waiting for a connection', 'none', [['sum by (pool) (database_pool_waiting)', '{{pool}}']]),
    graph('Wait for a connection, p99', 's', [[quantile(0.99, 'database_pool_wait_seconds', 'pool'), '{{pool}}']]),
    graph('Requests that wait for the turn of their account', 'none', [
      ['sum(idempotency_queued_requests)', 'all'],
      ['max(idempotency_longest_account_queue)', 'longest queue of one account'],
    ]),
    graph('Accounts with a queue', 'none', [['max(idempotency_queued_accounts)', 'in one replica']]),
    graph('Wait for a turn', 's', [
      [quantile(0.5, 'idempotency_turn_wait_seconds'), 'median'],
      [quantile(0.99, 'idempotency_turn_wait_seconds'), 'p99'],
    ]),
  ],
  [
    'Processes',
    graph('CPU', 'percentunit', [['rate(process_cpu_seconds_total{job="holdfast"}[$__rate_interval])', '{{instance}}']]),
    graph('Memory', 'bytes', [['process_resident_memory_bytes{job="holdfast"}', '{{instance}}']]),
    graph('Event loop lag, p99', 's', [['nodejs_eventloop_lag_p99_seconds{job="holdfast"}', '{{instance}}']]),
  ],
];

/** Places panels from left to right, and begins a line where one is full. */
function placed() {
  const panels = [];
  let y = 0;
  for (const [title, ...content] of rows) {
    panels.push({ type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: WIDTH, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let height = 0;
    for (const { size, ...panel } of content) {
      if (x + size.w > WIDTH) [x, y, height] = [0, y + height, 0];
      panels.push({ ...panel, datasource: SOURCE, gridPos: { x, y, ...size } });
      [x, height] = [x + size.w, Math.max(height, size.h)];
    }
    y += height;
  }
  return panels.map((panel, at) => ({ id: at + 1, ...panel }));
}

const dashboard = {
  uid: 'holdfast',
  title: 'Holdfast',
  tags: ['holdfast'],
  schemaVersion: 41,
  version: 1,
  editable: false,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: [
      {
        name: 'datasource',
        type: 'datasource',
        query: 'prometheus',
        label: 'Prometheus',
        current: { text: 'Prometheus', value: 'prometheus' },
      },
      {
        name: 'operation',
        type: 'query',
        label: 'Operation',
        datasource: SOURCE,
        query: { query: 'label_values(idempotency_requests_total, operation)', refId: 'operation' },
        refresh: 2,
        includeAll: true,
        multi: true,
        allValue: '.*',
        current: { text: 'All', value: '$__all' },
      },
    ],
  },
  annotations: { list: [] },
  panels: placed(),
};

const directory = process.argv[2] ?? import.meta.dirname;
writeFileSync(join(directory, 'holdfast.json'), `${JSON.stringify(dashboard, undefined, 2)}\n`);
