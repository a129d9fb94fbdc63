import { announce } from './announce.js';
import { button, el, fill } from './dom.js';
import { readExposition } from './exposition.js';
import { History } from './figures.js';
import { duration } from './format.js';
import { NowPanels } from './now-panels.js';
import type { Screen } from './screen.js';

/** Between two looks, in milliseconds. */
const INTERVAL = 3_000;

/** Live figures of the process that serves this page. */
export function nowScreen(): Screen {
  const history = new History();
  const panels = new NowPanels();
  const state = el('p', { class: 'hint' });
  let paused = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = async (): Promise<void> => {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    const missing = await readInto(history);
    fill(state, missing ?? sinceWhen(history));
    if (missing === null) panels.show(history);
    if (missing !== NOT_HERE) timer = setTimeout(() => void look(), INTERVAL);
  };
  const pause = button('Pause', () => {
    paused = !paused;
    pause.textContent = paused ? 'Go on' : 'Pause';
    announce(paused ? 'The figures stand still.' : 'The figures are live again.');
    void look();
  });
  document.addEventListener('visibilitychange', () => void look());

  return {
    id: 'now',
    title: 'Now',
    element: el(
      'section',
      { 'aria-labelledby': 'now-title' },
      el('div', { class: 'headline' }, el('h1', { id: 'now-title', tabindex: '-1' }, 'Now'), state, pause),
      ...panels.elements,
    ),
    show: () => void look(),
  };
}

const NOT_HERE = 'There are no metrics at this address. Where INTERNAL_PORT is set, open /console there: this screen needs no API key.';

/** Reads the metrics once; what to tell where there are none. */
async function readInto(history: History): Promise<string | null> {
  try {
    const response = await fetch('/metrics', { cache: 'no-store', credentials: 'omit' });
    if (response.status === 404) return NOT_HERE;
    if (!response.ok) return `The metrics answer HTTP ${response.status}; the next look is in ${INTERVAL / 1_000} s.`;
    history.add(Date.now() / 1_000, readExposition(await response.text()));
    return null;
  } catch {
    return `This server can’t be reached; the next try is in ${INTERVAL / 1_000} s.`;
  }
}

function sinceWhen(history: History): string {
  const startedAt = history.startedAt();
  const up = startedAt === undefined ? '' : `, up for ${duration(Math.max(0, Date.now() / 1_000 - startedAt))}`;
  return `One process${up}. A look every ${INTERVAL / 1_000} s, the last five minutes.`;
}
