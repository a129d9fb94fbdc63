import { el, fill, labelled } from './dom.js';
import { doubleClick } from './double-click.js';
import { money } from './format.js';
import { hangingProvider } from './hanging-provider.js';
import { loseTheAnswer } from './lose-the-answer.js';
import { showProblem } from './problem.js';
import { currentKey, isLive, onKeyChange } from './session.js';
import { products, type Product } from './shop.js';
import type { Trial } from './trial.js';
import type { Screen } from './screen.js';

/** Shows what a retry does, with real requests of this browser. */
export function tryScreen(): Screen {
  const product = el('select', {});
  const setting = el('div', { class: 'card' });
  const trials = [loseTheAnswer, doubleClick, hangingProvider].map((make) => make(() => product.value));
  const list = el('div', { class: 'trials' }, ...trials.map(trialCard));
  let loadedFor: string | null = null;

  const load = async (): Promise<void> => {
    const key = currentKey();
    list.hidden = true;
    if (key === null) return fill(setting, el('p', {}, NEEDED));
    try {
      const sold = await products();
      fill(product, ...sold.map(optionOf));
      loadedFor = key;
      fill(setting, labelled('What is ordered, one piece each time', product), isLive() ? consent(list) : null);
      list.hidden = isLive();
    } catch (error) {
      showProblem(setting, error);
    }
  };
  let shown = false;
  onKeyChange(() => {
    loadedFor = null;
    if (shown) void load();
  });
  return {
    id: 'try',
    title: 'Try it',
    element: el('section', { 'aria-labelledby': 'try-title' }, el('h1', { id: 'try-title', tabindex: '-1' }, 'Try it'), setting, list),
    show: () => {
      shown = true;
      if (loadedFor === null || loadedFor !== currentKey()) void load();
    },
  };
}

const NEEDED = 'Give an API key above that has operations:read, orders:read, orders:write, payments:read and payments:write.';

function optionOf({ id, name, unitPrice, currency }: Product): HTMLElement {
  return el('option', { value: id }, `${name}, ${money(unitPrice, currency)}`);
}

/** With a live key, what is tried is done for real. */
function consent(list: HTMLElement): HTMLElement {
  const box = el('input', { type: 'checkbox' });
  box.addEventListener('change', () => (list.hidden = !box.checked));
  return el('label', { class: 'consent' }, box, ' This is a live key: orders are placed and take stock for real. I mean it.');
}

let titles = 0;

function trialCard({ title, text, controls, view }: Trial): HTMLElement {
  titles += 1;
  const id = `trial-${titles}`;
  return el('section', { class: 'card trial', 'aria-labelledby': id }, el('h2', { id }, title), el('p', {}, text), controls, view.element);
}
