import type { Figures, Results } from '../results.js';
import { FIRST_LABELS, REPLAY_LABELS, labelled } from './labels.js';

const WIDTH = 860;
const LABELS = 270;
const BARS = 470;
const LINE = 26;
const BAR = 16;
const TITLE = 34;
const MARGIN = 16;

/** The parts of a bar; the colours can be told apart by those who see red and green alike. */
const PARTS = [
  { name: 'Node', field: 'nodeUs', colour: '#2f6f9f' },
  { name: 'PostgreSQL', field: 'postgresUs', colour: '#e0a030' },
  { name: 'Redis', field: 'redisUs', colour: '#b04a5a' },
] as const;

type Bar = [label: string, figures: Figures];

/** CPU time of one request, as bars, in an SVG with a background of its own: it is readable on light and on dark pages. */
export function chartOf({ workloads, machine }: Results): string {
  const groups = [
    { title: 'First requests: CPU time of one, µs', bars: labelled(FIRST_LABELS, workloads.first) },
    { title: 'Replays: CPU time of one, µs', bars: labelled(REPLAY_LABELS, workloads.replays) },
  ];
  let top = MARGIN;
  const parts: string[] = [];
  for (const { title, bars } of groups) {
    parts.push(text(MARGIN, top + 18, title, 'class="title"'));
    top += TITLE;
    // Each group has its own scale: beside a first request a replay would be a dot.
    const most = Math.max(1, ...bars.map(([, figures]) => figures.totalUs?.median ?? 0));
    for (const bar of bars) {
      parts.push(drawBar(bar, top, BARS / most));
      top += LINE;
    }
    top += MARGIN;
  }
  parts.push(legend(top), text(WIDTH - MARGIN, top + 12, `${machine.cpu}, ${machine.cores} cores`, 'text-anchor="end"'));
  return frame(top + LINE + 4, parts);
}

function drawBar([label, figures]: Bar, top: number, scale: number): string {
  let left = LABELS;
  const total = figures.totalUs?.median ?? 0;
  // The medians of the parts don't add up to the median of the whole: they share its length.
  const sum = PARTS.reduce((all, { field }) => all + (figures[field]?.median ?? 0), 0);
  const pieces = PARTS.map(({ name, field, colour }) => {
    const median = figures[field]?.median ?? 0;
    const width = sum > 0 ? (median / sum) * total * scale : 0;
    const piece = `<rect x="${fixed(left)}" y="${top}" width="${fixed(width)}" height="${BAR}" fill="${colour}"><title>${name}: ${median} µs</title></rect>`;
    left += width;
    return width > 0 ? piece : '';
  });
  const base = top + BAR - 4;
  return [text(LABELS - 10, base, label, 'text-anchor="end"'), ...pieces, text(left + 6, base, String(total), 'class="total"')].join('');
}

function legend(top: number): string {
  return PARTS.map(({ name, colour }, index) => {
    const left = LABELS + index * 110;
    return `<rect x="${left}" y="${top + 2}" width="12" height="12" fill="${colour}"/>${text(left + 18, top + 12, name)}`;
  }).join('');
}

function frame(height: number, parts: readonly string[]): string {
  const style = 'text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.total{font-weight:600}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="CPU time of one request">`,
    `<style>${style}</style>`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#f3f4f6"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${fixed(x)}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}
