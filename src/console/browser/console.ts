import { announce } from './announce.js';
import { Refusal, ask } from './api.js';
import { button, el, fill, labelled } from './dom.js';
import { nowScreen } from './now.js';
import { showProblem } from './problem.js';
import { currentKey, forgetKey, onKeyChange, shownKey, useKey } from './session.js';
import type { Screen } from './screen.js';
import { storyScreen } from './story.js';
import { tryScreen } from './try.js';

const place = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
};

/** Which screen the address names, and what stands behind its name. */
function named(screens: Screen[]): { screen: Screen | undefined; about: string } {
  const [id, about = ''] = location.hash.slice(1).split('/', 2);
  return { screen: screens.find((screen) => screen.id === id) ?? screens[0], about };
}

function start(): void {
  const screens = [nowScreen(), storyScreen(), tryScreen()];
  const links = screens.map(({ id, title }) => el('a', { href: `#${id}` }, title));
  fill(place('screens'), ...links.map((link) => el('li', {}, link)));
  fill(place('main'), ...screens.map(({ element }) => element));
  const go = (): HTMLElement | undefined => {
    const { screen, about } = named(screens);
    screens.forEach((each, at) => {
      each.element.hidden = each !== screen;
      if (each === screen) links[at]?.setAttribute('aria-current', 'page');
      else links[at]?.removeAttribute('aria-current');
    });
    document.title = `${screen?.title}: Holdfast console`;
    screen?.show(about);
    return screen?.element;
  };
  // Whoever goes to another screen by keyboard is there, and a screen reader says where.
  addEventListener('hashchange', () => go()?.querySelector('h1')?.focus());
  // The address names screens, and none of their parts.
  place('skip').addEventListener('click', (event) => {
    event.preventDefault();
    place('main').focus();
  });
  sessionPanel(place('session'));
  go();
}

/** Takes the API key, and shows which one is in use. */
function sessionPanel(panel: HTMLElement): void {
  // No password field: a browser would offer to keep what stands in one.
  const field = el('input', {
    type: 'text',
    class: 'secret',
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
    required: true,
    pattern: '[!-~]+',
  });
  const trouble = el('div');
  const form = el(
    'form',
    { class: 'key-form' },
    labelled('API key with operations:read', field),
    el('button', { type: 'submit' }, 'Use it'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    fill(trouble);
    void take(field, trouble);
  });
  const forget = button('Forget it', () => {
    forgetKey();
    announce('The API key is forgotten.');
    field.focus();
  });
  onKeyChange(() => {
    field.value = '';
    fill(panel, currentKey() === null ? form : el('p', { class: 'key-in-use' }, el('code', {}, shownKey()), forget), trouble);
  });
}

/** Uses the key if the API knows it and lets it read operations. */
async function take(field: HTMLInputElement, trouble: HTMLElement): Promise<void> {
  const key = field.value.trim();
  try {
    await ask('/v1/operations?limit=1', { headers: { authorization: `Bearer ${key}` } });
    useKey(key);
    announce('The API key is in use, until this page is left.');
    place('main').querySelector<HTMLElement>('section:not([hidden]) h1')?.focus();
  } catch (error) {
    if (error instanceof Refusal && error.problem.code === 'not-found') fill(trouble, el('p', { class: 'problem', role: 'alert' }, NO_API));
    else showProblem(trouble, error);
    field.focus();
  }
}

const NO_API = 'The API is not at this address, only metrics and documentation. Open /console where both are, behind the proxy.';

start();
