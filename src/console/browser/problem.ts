import { Refusal, ask, type Problem } from './api.js';
import { el, fill } from './dom.js';

/** What the server says about a problem of its table. */
interface Explanation {
  meaning: string;
  advice: string;
  retryMeaning: string;
}

/** Shows what went wrong in the place given, with what to do next, and has it read out. Anything but a refusal is thrown on. */
export function showProblem(place: Element, error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
  fill(place, problemPanel(error.problem));
}

/** What went wrong, and what to do about it, which the server itself knows. */
export function problemPanel(problem: Problem): HTMLElement {
  const { title, status, detail, code, requestId, operationId, errors = [] } = problem;
  const next = el('div', { class: 'next' });
  if (code !== undefined) void explain(next, code);
  return el(
    'div',
    { class: 'problem', role: 'alert' },
    el('p', { class: 'problem-title' }, title),
    el('p', {}, detail),
    errors.length > 0 && el('ul', {}, ...errors.map((error) => el('li', {}, el('code', {}, error.pointer), ` ${error.detail}`))),
    next,
    el(
      'p',
      { class: 'hint' },
      status > 0 && `HTTP ${status} `,
      code !== undefined && el('a', { href: `/problems/${encodeURIComponent(code)}` }, code),
      operationId !== undefined && [' · operation ', el('a', { href: `#story/${encodeURIComponent(operationId)}` }, operationId)],
      requestId !== undefined && [' · request ', el('code', {}, requestId)],
    ),
  );
}

async function explain(place: HTMLElement, code: string): Promise<void> {
  try {
    const { advice, retryMeaning } = await ask<Explanation>(`/problems/${encodeURIComponent(code)}`);
    fill(place, el('p', {}, el('strong', {}, 'What to do: '), advice), el('p', { class: 'hint' }, retryMeaning));
  } catch {
    // The problem itself is shown; what else the server knows of it is at the link.
  }
}
