import { describe, type Machine } from '../machine.js';
import type { Spread } from '../statistics.js';
import type { MemoryResult } from './memory.js';
import type { Options } from './options.js';
import type { PurgeResult } from './purge.js';
import type { RecordsResult } from './records.js';

/** Everything that one run has measured; a part that was not asked for is missing. */
export interface Report {
  machine: Machine;
  options: Pick<Options, 'requests' | 'rounds'>;
  records?: RecordsResult[];
  purge?: PurgeResult;
  memory?: MemoryResult;
}

/** The report as Markdown. */
export function render({ machine, options, records, purge, memory }: Report): string {
  const parts = [
    describe(machine),
    records && renderRecords(records, options),
    purge && renderPurge(purge),
    memory && renderMemory(memory),
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}

function renderRecords(results: RecordsResult[], { requests, rounds }: Report['options']): string {
  const rows = results.map((r) => [
    r.keys === 'uuidv7' ? 'UUIDv7' : 'random',
    whole(r.records),
    ...[r.nodeUs, r.postgresUs, r.totalUs].map((of) => of.median.toFixed(0)),
    ranged(r.ratio, 2),
    r.goal.toFixed(2),
    whole(Math.round(r.walBytesPerRequest.median)),
    megabytes(r.tableBytes),
    Object.entries(r.indexBytes)
      .map(([name, bytes]) => `${name.replace('idempotency_records_', '')} ${megabytes(bytes)}`)
      .join(', '),
  ]);
  const header = ['keys', 'records', 'Node µs', 'PostgreSQL µs', 'CPU µs', 'ratio', 'goal', 'WAL bytes', 'table MB', 'indexes MB'];
  return `## Growth

First requests (\`POST /v1/orders\`, 32 connections) beside records with keys of the same style, and as many
events and archived operations; per request, median of ${rounds} rounds of ${requests}.
The ratio is that of the CPU to the smallest table's of the same round. A checkpoint goes before each round.

${table(header, rows)}`;
}

function renderPurge({ rows, live, perSecond, rounds, p99Ratio, goal, refilled }: PurgeResult): string {
  const lines = rounds.map((r, index) => [
    String(index + 1),
    ...[r.quiet, r.during].flatMap(({ requests, p50, p99 }) => [whole(requests), ms(p50), ms(p99)]),
    r.p99Ratio?.toFixed(2) ?? '–',
    r.seconds.toFixed(1),
    whole(Math.round(r.rowsPerSecond)),
    whole(Math.round(r.walBytesPerRow)),
    ...[r.expired, r.archived, r.archivedEarly, r.left].map(whole),
    megabytes(r.filled.tableBytes),
    megabytes(r.filled.indexBytes),
    megabytes(r.vacuumed.tableBytes),
    megabytes(r.vacuumed.freeBytes),
  ]);
  const header =
    `round, quiet requests, p50 ms, p99 ms, purge requests, p50 ms, p99 ms, p99 ratio, purge s, rows/s, WAL/row, expired, archived,
    archived early, left, table MB, indexes MB, vacuumed table MB, free in it MB`.split(/,\s+/);
  return `## Purge

${whole(rows)} expired records beside ${whole(live)} live ones; ${perSecond} first requests a second, before and while another process purges.
p99 during the purge relative to quiet: ${ranged(p99Ratio, 2)} (goal ${goal.toFixed(2)}).

${table(header, lines)}

After each purge the table was vacuumed by command (a plain VACUUM), then as many records were inserted again. After the last time
the table has ${megabytes(refilled.tableBytes)} MB and its indexes ${megabytes(refilled.indexBytes)} MB.`;
}

function renderMemory({ requests, perSecond, samples, baseline, lastRatio, highestRatio, goal }: MemoryResult): string {
  const rows = samples.map((sample) => [whole(sample.requests), megabytes(sample.residentBytes)]);
  return `## Memory

One process took ${whole(requests)} requests, one in ten a retry, ${perSecond.toFixed(0)} a second. Relative to its memory after ${whole(baseline.requests)}:
${lastRatio.toFixed(2)} at the end, ${highestRatio.toFixed(2)} at most (goal ${goal.toFixed(2)}).

${table(['requests', 'resident MB'], rows)}`;
}

function table(header: string[], rows: string[][]): string {
  const widths = header.map((name, column) => Math.max(3, name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]): string => `| ${cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => `${'-'.repeat(width - 1)}:`)), ...rows.map(line)].join('\n');
}

function ranged({ median, low, high }: Spread, digits: number): string {
  return Number.isNaN(median) ? '–' : `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

const ms = (value: number | null): string => value?.toFixed(1) ?? '–';
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const whole = (value: number): string => value.toLocaleString('en');
