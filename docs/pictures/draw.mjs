// Draws the pictures of this folder: `node docs/pictures/draw.mjs`, or into the directory that is named. A test compares them
// with what this script draws, and the clocks of a payment are read from the code, so that neither can go out of date
// unnoticed. Each picture has a background of its own: pages in light and in dark show the same.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const INK = '#1f2328';
const MUTED = '#59636e';
const LINE = '#8c959f';
const BLUE = '#0969da';
const GREEN = '#1a7f37';
const AMBER = '#9a6700';
const RED = '#cf222e';
const PALE = { blue: '#ddf4ff', green: '#dafbe1', amber: '#fff8c5', red: '#ffebe9', grey: '#f6f8fa' };

const root = new URL('../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** One line of text, or several below each other. */
function text(x, y, lines, { size = 13, colour = INK, weight = 400, anchor = 'middle' } = {}) {
  return [lines]
    .flat()
    .map(
      (line, at) =>
        `<text x="${x}" y="${y + at * (size + 4)}" font-size="${size}" font-weight="${weight}" fill="${colour}" text-anchor="${anchor}">${escaped(line)}</text>`,
    )
    .join('\n');
}

/** A box with a title and what is said below it. */
function box(x, y, width, height, title, lines = [], { fill = PALE.grey, stroke = LINE, dashed = false } = {}) {
  const dash = dashed ? ' stroke-dasharray="5 4"' : '';
  const middle = x + width / 2;
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${fill}" stroke="${stroke}" stroke-width="1.5"${dash}/>`,
    text(middle, y + 24, title, { size: 15, weight: 600 }),
    text(middle, y + 46, lines, { size: 12, colour: MUTED }),
  ].join('\n');
}

/** An arrow along the given points, `M x y L x y …` or with curves. */
function arrow(path, { colour = MUTED, dashed = false, both = false } = {}) {
  const dash = dashed ? ' stroke-dasharray="5 4"' : '';
  const start = both ? ' marker-start="url(#tail)"' : '';
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"${dash} marker-end="url(#head)"${start}/>`;
}

function picture(width, height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
<title>${escaped(title)}</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M 0 0 L 10 5 L 0 10 z" fill="${MUTED}"/></marker><marker id="tail" viewBox="0 0 10 10" refX="1" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M 10 0 L 0 5 L 10 10 z" fill="${MUTED}"/></marker></defs>
<rect x="0.75" y="0.75" width="${width - 1.5}" height="${height - 1.5}" rx="10" fill="#ffffff" stroke="#d1d9e0" stroke-width="1.5"/>
${parts.flat().join('\n')}
</svg>
`;
}

/** Who talks to whom. */
function parts() {
  const title =
    'A client sends a request with an Idempotency-Key to a replica of the API. The replica commits the record of the key and the work in one PostgreSQL transaction, and calls the payment provider in steps, outside any transaction. A recoverer on every replica finishes what is unfinished.';
  return picture(880, 400, title, [
    box(24, 110, 196, 104, 'Client', ['sends an Idempotency-Key,', 'and the same request again', 'until it has an answer']),
    box(336, 40, 224, 206, '', [], { fill: '#ffffff', stroke: BLUE, dashed: true }),
    text(448, 32, 'more replicas, alike', { size: 12, colour: MUTED }),
    box(316, 54, 224, 206, 'API replica', ['guards, validation, handler', 'on the core, src/idempotency'], {
      fill: PALE.blue,
      stroke: BLUE,
    }),
    box(334, 150, 188, 90, 'Recoverer', ['on every replica: finishes', 'what nobody holds'], { fill: '#ffffff', stroke: BLUE }),
    box(664, 36, 192, 196, 'PostgreSQL', [], { fill: PALE.green, stroke: GREEN }),
    box(
      678,
      76,
      164,
      138,
      'one transaction',
      ['record of the key', 'orders, payments, stock', 'the answer, in bytes,', 'or the step that follows'],
      {
        fill: '#ffffff',
        stroke: GREEN,
        dashed: true,
      },
    ),
    box(632, 296, 224, 84, 'Payment provider', ['keeps idempotency keys, too', '(the sandbox, or Stripe)'], {
      fill: PALE.amber,
      stroke: AMBER,
    }),
    arrow('M 222 148 L 314 148'),
    arrow('M 314 178 L 222 178'),
    text(268, 140, 'request', { size: 12, colour: MUTED }),
    text(268, 196, 'answer', { size: 12, colour: MUTED }),
    arrow('M 562 130 L 662 130', { both: true }),
    text(612, 120, 'claim, work,', { size: 12, colour: MUTED }),
    text(612, 150, 'commit', { size: 12, colour: MUTED }),
    arrow('M 428 262 L 428 346 L 630 346', { both: true }),
    text(440, 312, ['steps: no transaction', 'is open while it calls'], { size: 12, colour: MUTED, anchor: 'start' }),
    text(440, 366, 'same key on every attempt', { size: 12, colour: MUTED, anchor: 'start' }),
    text(
      24,
      300,
      [
        'A crash before COMMIT leaves nothing.',
        'After it, whoever comes next goes on',
        'from the step that the record names:',
        'the client’s retry, or the recoverer.',
      ],
      {
        size: 12,
        anchor: 'start',
      },
    ),
  ]);
}

/** The states of a record. */
function states() {
  const title =
    'States of the record of a key. Unused, by local work in one transaction: completed. Unused, where a handler names a step: running and held; from there completed, parked, or undone. Parked: taken over, and held again. Completed: archived, then forgotten.';
  const small = (colour, anchor = 'start') => ({ size: 12, colour, anchor });
  return picture(880, 440, title, [
    box(196, 62, 230, 92, 'running, held', ['a process has the lease;', 'recovery_point names the step'], {
      fill: PALE.blue,
      stroke: BLUE,
    }),
    box(606, 62, 250, 92, 'running, parked', ['outcome unknown: no lease,', 'next_run_at says when to ask again'], {
      fill: PALE.amber,
      stroke: AMBER,
    }),
    box(24, 256, 130, 70, 'unused', ['no record'], { fill: '#ffffff', dashed: true }),
    box(326, 256, 214, 70, 'completed', ['the answer is kept: replays'], { fill: PALE.green, stroke: GREEN }),
    box(642, 256, 214, 70, 'archived', ['key, operation, resource: 410']),
    box(642, 376, 214, 44, 'forgotten', [], { fill: '#ffffff', dashed: true }),
    arrow('M 276 62 C 276 34, 346 34, 346 60', { colour: BLUE }),
    text(311, 26, 'next step (step_no + 1), or taken over when the lease ran out (attempt + 1)', small(BLUE, 'middle')),
    arrow('M 428 92 L 604 92', { colour: AMBER }),
    text(516, 66, ['outcome unknown:', 'lease given back'], small(AMBER, 'middle')),
    arrow('M 604 124 L 428 124', { colour: BLUE }),
    text(516, 142, ['taken over by a retry,', 'the recoverer or /resume', '(attempt + 1)'], small(BLUE, 'middle')),
    arrow('M 62 254 C 62 180, 110 124, 194 118', { colour: BLUE }),
    text(24, 70, ['a handler names a step:', 'record, rows and step', 'in one transaction'], small(BLUE)),
    arrow('M 236 156 L 142 254', { colour: RED }),
    text(206, 212, ['undone: surely', 'nothing happened'], small(RED)),
    arrow('M 392 156 L 420 254', { colour: GREEN }),
    text(418, 212, 'settled', small(GREEN)),
    arrow('M 156 291 L 324 291', { colour: GREEN }),
    text(240, 282, 'local work:', small(GREEN, 'middle')),
    text(240, 309, 'one transaction', small(GREEN, 'middle')),
    arrow('M 542 291 L 640 291'),
    text(591, 282, 'window over,', small(MUTED, 'middle')),
    text(591, 309, 'purged', small(MUTED, 'middle')),
    arrow('M 749 328 L 749 374'),
    text(740, 356, 'retention over', small(MUTED, 'end')),
  ]);
}

/** A duration of .env.example in seconds. */
function defaultOf(variable) {
  const [, amount, unit] = new RegExp(`^# ${variable}=(\\d+)(ms|s|m|h|d)$`, 'm').exec(read('.env.example')) ?? [];
  const seconds = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 }[unit];
  if (amount === undefined || seconds === undefined) throw new Error(`.env.example gives ${variable} no default`);
  return Number(amount) * seconds;
}

/** A number that the code has as a constant. */
function constant(path, name) {
  const [, value] = new RegExp(`const ${name} = ([\\d_.]+);`).exec(read(path)) ?? [];
  if (value === undefined) throw new Error(`${path} has no ${name}`);
  return Number(value.replaceAll('_', ''));
}

/** A payment whose provider takes the money and doesn't answer, on one scale of time. */
function payment() {
  const timeout = defaultOf('PROVIDER_TIMEOUT');
  const lease = defaultOf('IDEMPOTENCY_LEASE');
  const interval = defaultOf('IDEMPOTENCY_RECOVERY_INTERVAL');
  const window = defaultOf('IDEMPOTENCY_WINDOW') / 3_600;
  const budget = timeout + constant('src/app.module.ts', 'STEP_MARGIN') / 1_000;
  const share = constant('src/payments/provider/guarded-provider.ts', 'LOOK_UP_SHARE');

  const left = 190;
  const perSecond = 640 / (lease + 4);
  const at = (second) => left + second * perSecond;
  const lane = (index) => 74 + index * 62;
  const bar = (index, from, to, { fill, stroke, dashed = false }) =>
    `<rect x="${at(from)}" y="${lane(index) - 15}" width="${(to - from) * perSecond}" height="30" rx="5" fill="${fill}" stroke="${stroke}" stroke-width="1.5"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
  const name = (index, title, value) => [
    text(24, lane(index) - 3, title, { size: 13, weight: 600, anchor: 'start' }),
    text(24, lane(index) + 13, value, { size: 11, colour: MUTED, anchor: 'start' }),
  ];
  const inside = (index, second, words, colour = INK) =>
    text(at(second) + 8, lane(index) + 4, words, { size: 12, colour, anchor: 'start' });
  const retried = timeout + interval;
  const seconds = [0, timeout, budget, lease];

  const title = `A payment that gets no answer: the call ends after ${timeout} s, the client has its 202 after ${budget} s at the latest, the lease would last ${lease} s, the recoverer asks again about ${interval} s after the payment was parked, and the final answer is kept for ${window} hours.`;
  const note = (index, second, lines, { dy = 3, ...style } = {}) =>
    text(at(second), lane(index) + dy, lines, { size: 11, anchor: 'start', ...style });
  const pauses = `${2 * interval}, ${4 * interval} … ${20 * interval} s (or up to a quarter more)`;
  return picture(880, 420, title, [
    seconds.map((second) => `<line x1="${at(second)}" y1="44" x2="${at(second)}" y2="352" stroke="#d1d9e0"/>`),
    seconds.map((second) => text(at(second), 36, `${second} s`, { size: 12, colour: MUTED })),
    name(0, 'Provider call', `PROVIDER_TIMEOUT ${timeout} s`),
    bar(0, 0, timeout, { fill: PALE.amber, stroke: AMBER }),
    inside(0, 0, 'charged, and no answer'),
    note(0, budget + 0.6, [`a look-up may take ${share * timeout} s of it;`, 'what is sent after it has the rest'], {
      colour: MUTED,
      dy: -4,
    }),
    name(1, 'Request', `step budget ${budget} s`),
    bar(1, 0, timeout, { fill: PALE.grey, stroke: LINE }),
    bar(1, timeout, budget, { fill: '#ffffff', stroke: LINE, dashed: true }),
    inside(1, 0, 'waits'),
    note(1, budget + 0.6, '202 when the call or the budget ends'),
    name(2, 'Lease', `IDEMPOTENCY_LEASE ${lease} s`),
    bar(2, 0, timeout, { fill: PALE.blue, stroke: BLUE }),
    bar(2, timeout, lease, { fill: '#ffffff', stroke: BLUE, dashed: true }),
    inside(2, 0, 'held'),
    note(2, budget + 0.6, 'given back when parked; stays if the process dies', { colour: MUTED }),
    name(3, 'Recoverer', `every ${interval} s`),
    Array.from(
      { length: Math.floor(lease / interval) + 1 },
      (_, tick) => `<circle cx="${at(tick * interval)}" cy="${lane(3) - 8}" r="2.5" fill="${LINE}"/>`,
    ),
    `<circle cx="${at(retried)}" cy="${lane(3) - 8}" r="6" fill="${GREEN}"/>`,
    note(3, retried, `asks again ${interval} s after it was parked, then after ${pauses}`, { colour: GREEN, dy: 16 }),
    name(4, 'Window', `IDEMPOTENCY_WINDOW ${window} h`),
    bar(4, retried, lease + 4, { fill: PALE.green, stroke: GREEN }),
    inside(4, retried, `201, and replays of it for ${window} h from here on`),
    text(24, 396, `From ${interval} s after it was parked a retry of the client takes a payment over, too, and reaches the same charge.`, {
      size: 12,
      anchor: 'start',
    }),
  ]);
}

const PICTURES = { 'parts.svg': parts, 'states.svg': states, 'payment.svg': payment };
const directory = process.argv[2] ?? import.meta.dirname;
for (const [name, draw] of Object.entries(PICTURES)) writeFileSync(join(directory, name), draw());
