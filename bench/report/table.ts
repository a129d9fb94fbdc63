import { describe } from '../machine.js';
import { DISTANCES, DISTANCE_VARIANTS } from '../workloads/distance.js';
import { RATIO_ENTRIES, type Figures, type Results } from '../results.js';
import type { Spread } from '../statistics.js';
import { BATCH_LABELS, FIRST_LABELS, PAYMENT_LABELS, REPLAY_LABELS, labelled } from './labels.js';

/** The results as Markdown, which is readable as it is. */
export function markdownOf(results: Results): string {
  const { workloads } = results;
  const sections = [
    ratioTable(results),
    figureTable('First requests', labelled(FIRST_LABELS, workloads.first)),
    figureTable('Replays', labelled(REPLAY_LABELS, workloads.replays)),
    figureTable('Batches', labelled(BATCH_LABELS, workloads.batches)),
    figureTable('A mix', [['orders with retries, mismatches and bursts', workloads.mix]]),
    mixSentence(results),
    figureTable('Payments, with a provider that takes 20 ms', labelled(PAYMENT_LABELS, workloads.payments.variants)),
    paymentSentence(results),
    distanceTable(results),
    hotKeyTable(results),
    goalTable(results),
    machineSentence(results),
  ];
  return `${sections.join('\n\n')}\n`;
}

function ratioTable({ ratios, reasons, spreads }: Results): string {
  const rows = RATIO_ENTRIES.map(([name, { label }]) => {
    const spread = spreads[name];
    const found = ratios[name] === null ? `not measured: ${reasons[name]}` : `**${ratios[name]}**`;
    return [label, found, spread ? `${spread.low} – ${spread.high}` : ''];
  });
  return table(['CPU time of one request', 'ratio', 'lowest – highest round'], rows);
}

type Row = [label: string, figures: Figures];

function figureTable(title: string, rows: readonly Row[]): string {
  const head = [title, 'Node µs', 'PostgreSQL µs', 'Redis µs', 'CPU µs', 'lowest – highest', 'requests/s', 'p50 ms', 'p99 ms', 'MB'];
  const middle = (spread: Spread | undefined): string => (spread ? String(spread.median) : '–');
  const lines = rows.map(([label, { nodeUs, postgresUs, redisUs, totalUs, perSecond, p50, p99, residentMb }]) => [
    label,
    ...[nodeUs, postgresUs, redisUs].map(middle),
    `**${middle(totalUs)}**`,
    totalUs ? `${totalUs.low} – ${totalUs.high}` : '',
    ...[perSecond, p50, p99, residentMb].map(middle),
  ]);
  return table(head, lines);
}

function mixSentence({ workloads: { mix } }: Results): string {
  const statuses = Object.entries(mix.statuses).map(([status, count]) => `${count} × ${status}`);
  return `The mix was answered with ${statuses.join(', ')}; its ${mix.effects.keys} keys wrote ${mix.effects.orders} orders.`;
}

function paymentSentence({ workloads: { payments } }: Results): string {
  const { effects, providerUs } = payments;
  return (
    `${effects.requests} payments made ${effects.charges} charges. The provider and its PostgreSQL took ${providerUs.median} µs of CPU ` +
    `for one (${providerUs.low} – ${providerUs.high}), which stand in no row.`
  );
}

function distanceTable({ workloads: { distance } }: Results): string {
  const rows = DISTANCE_VARIANTS.map((variant) => {
    const { p50, roundTrips } = distance[variant];
    return [FIRST_LABELS[variant], ...Object.values(p50).map(String), String(roundTrips.median), `${roundTrips.low} – ${roundTrips.high}`];
  });
  const head = DISTANCES.map((milliseconds) => `${milliseconds} ms away: p50 ms`);
  return table(['An order over one connection, the database', ...head, 'round trips', 'lowest – highest round'], rows);
}

function hotKeyTable({ workloads: { hotKey } }: Results): string {
  const rows = (
    [
      ['alone', hotKey.quiet, ''],
      ['beside 200 connections with one key, held back', hotKey.held, String(hotKey.p99Ratio.held)],
      ['beside 200 connections with one key, unbounded', hotKey.unbounded, String(hotKey.p99Ratio.unbounded)],
      ['beside 200 connections with new keys', hotKey.crowd200, String(hotKey.p99Ratio.crowd200)],
      ['beside 600 connections with new keys', hotKey.crowd600, String(hotKey.p99Ratio.crowd600)],
    ] as const
  ).map(([label, seen, ratio]) => [label, ...[seen.hammerPerSecond, seen.p50, seen.p99, seen.longest].map(String), ratio]);
  return table(['An account’s orders', 'the other’s requests/s', 'p50 ms', 'p99 ms', 'longest ms', 'p99 ÷ alone'], rows);
}

function goalTable({ goals }: Results): string {
  const words = { true: 'yes', false: 'no', null: 'can’t be told' };
  return table(
    ['What is to hold', 'found', 'holds'],
    Object.values(goals).map(({ goal, measured, met }) => [goal, measured, words[`${met}`]]),
  );
}

function machineSentence({ machine, settings, reasons }: Results): string {
  const missing = Object.entries(reasons).map(([name, reason]) => `Not measured: ${name} (${reason}).`);
  return [
    describe(machine),
    `Medians of ${settings.rounds} rounds of ${settings.requestsPerRound} requests over ${settings.connections} connections,`,
    `with ${settings.baseRows} orders in the database before;`,
    `fsync ${settings.fsync}, synchronous_commit ${settings.synchronous_commit}, full_page_writes ${settings.full_page_writes}.`,
    ...missing,
  ].join('\n');
}

/** Columns are as wide as their widest cell, as prettier would have them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
