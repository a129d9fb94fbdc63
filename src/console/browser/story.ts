import { announce } from './announce.js';
import { button, el, fill, labelled } from './dom.js';
import { dayAndClock, duration } from './format.js';
import { showProblem } from './problem.js';
import { currentKey, onKeyChange } from './session.js';
import { sealPanel, unfinishedActions } from './story-actions.js';
import { eventsOfStory, find, readStory, type Found, type Story } from './story-search.js';
import { entriesOf, offsetOf, type Entry } from './timeline.js';
import type { Screen } from './screen.js';

/** Between two looks at an operation without an outcome, in milliseconds. */
const INTERVAL = 2_000;

/** Finds one request and tells everything that is known of it. */
export function storyScreen(): Screen {
  const field = el('input', { type: 'search', name: 'text', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' });
  const found = el('div', { class: 'found' });
  let search = 0;

  const look = async (text: string): Promise<void> => {
    search += 1;
    const mine = search;
    if (currentKey() === null) return fill(found, el('p', { class: 'card' }, 'Give an API key with operations:read above.'));
    try {
      const result = await find(text);
      if (mine === search) present(found, result, () => mine === search);
    } catch (error) {
      if (mine === search) showProblem(found, error);
    }
  };
  const form = el(
    'form',
    { class: 'search', role: 'search' },
    labelled('Idempotency key, operation or resource', field, HINT),
    el('button', { type: 'submit' }, 'Find'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void look(field.value.trim());
  });

  let shown = false;
  onKeyChange(() => shown && void look(field.value.trim()));
  return {
    id: 'story',
    title: 'One story',
    element: el('section', { 'aria-labelledby': 'story-title' }, el('h1', { id: 'story-title', tabindex: '-1' }, 'One story'), form, found),
    show: (about) => {
      shown = true;
      if (about !== '') field.value = about;
      void look(field.value.trim());
    },
  };
}

const HINT = 'For example op_…, ord_…, pay_…, re_…, tkt_… or the key that a client has sent. Empty: the latest ones.';

function present(place: HTMLElement, { heading, stories, unusedKey }: Found, current: () => boolean): void {
  const [only] = stories;
  if (unusedKey !== undefined) {
    announce('No request with this key is known.');
    return fill(place, sealPanel(unusedKey));
  }
  if (only && stories.length === 1) {
    announce(`Found: ${only.operation}, ${only.status}.`);
    return fill(place, storyPanel(only, current));
  }
  announce(`Found: ${stories.length} requests.`);
  fill(
    place,
    el('h2', {}, heading),
    stories.length === 0 ? el('p', { class: 'card' }, 'There are none yet.') : el('ul', { class: 'stories' }, ...stories.map(summary)),
  );
}

function summary(story: Story): HTMLElement {
  return el(
    'li',
    { class: 'card' },
    el('a', { href: `#story/${story.id}` }, el('code', {}, story.id)),
    el('span', {}, story.operation),
    statusBadge(story),
    el('time', { datetime: story.createdAt }, dayAndClock(story.createdAt)),
  );
}

function statusBadge({ status, response }: Story): HTMLElement {
  const tone = status !== 'completed' ? 'warn' : (response?.status ?? 0) < 400 ? 'good' : 'bad';
  return el('span', { class: `badge ${tone}` }, status === 'completed' ? `answered ${response?.status ?? ''}` : status);
}

/** One story. Without an outcome it is looked at again and again, for as long as it is the one that is shown. */
function storyPanel(story: Story, current: () => boolean): HTMLElement {
  const [head, line, actions, more] = [el('div'), el('div'), el('div'), el('p', { class: 'hint' })];
  let shown = story;
  const draw = async (): Promise<void> => {
    fill(head, facts(shown, null));
    const events = await eventsOfStory(shown);
    fill(head, facts(shown, events?.[0]?.idempotencyKey ?? null));
    fill(line, timelineList(entriesOf(shown, events ?? [], Date.now())));
    fill(more, events === null && 'The events of this request are left out: to read them, the API key needs webhooks:read.');
  };
  const again = async (): Promise<void> => {
    const latest = await readStory(shown.id);
    if (latest.status !== shown.status) announce(`The operation is ${latest.status} now.`);
    const isNews = JSON.stringify(latest) !== JSON.stringify(shown);
    shown = latest;
    if (isNews) await draw();
    if (latest.status === 'completed') fill(actions);
  };
  const trouble = (error: unknown): void => showProblem(more, error);
  const follow = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    if (!current() || shown.status === 'completed') return;
    await again().catch(trouble);
    await follow();
  };
  void draw().catch(trouble);
  if (story.status !== 'completed') {
    fill(actions, unfinishedActions(story, again));
    void follow();
  }
  const lookAgain = button('Look again', () => again().catch(trouble));
  const title = el('div', { class: 'headline' }, el('h3', {}, 'What happened'), lookAgain);
  return el('article', { class: 'story', 'aria-labelledby': 'operation-id' }, head, actions, title, line, more);
}

function facts(story: Story, key: string | null): HTMLElement[] {
  const row = (name: string, ...value: Parameters<typeof el>[2][]): HTMLElement =>
    el('div', {}, el('dt', {}, name), el('dd', {}, ...value));
  const resource = story.resource?.split('/').at(-1);
  const took = story.completedAt === null ? null : (Date.parse(story.completedAt) - Date.parse(story.createdAt)) / 1_000;
  return [
    el('h2', { id: 'operation-id' }, story.operation, ' ', statusBadge(story)),
    el(
      'dl',
      { class: 'facts card' },
      row('Operation', el('code', {}, story.id)),
      key !== null && row('Idempotency-Key', el('code', {}, key)),
      row('Made or changed', resource ? el('code', {}, resource) : '–'),
      row('Arrived', el('time', { datetime: story.createdAt }, dayAndClock(story.createdAt))),
      row('Answered after', took === null ? 'not yet' : duration(took)),
      row('Replays', story.replays),
      row(
        'Step',
        story.recoveryPoint === null ? 'none: one transaction' : [el('code', {}, story.recoveryPoint), `, begun ${times(story.attempts)}`],
      ),
    ),
  ];
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function timelineList(entries: Entry[]): HTMLElement {
  const first = entries[0]?.at ?? '';
  return el(
    'ol',
    { class: 'timeline' },
    ...entries.map((entry) =>
      el(
        'li',
        { class: `${entry.tone}${entry.ahead ? ' ahead' : ''}` },
        el('time', { datetime: entry.at, title: dayAndClock(entry.at) }, offsetOf(entry, first)),
        el('span', { class: 'what' }, el('strong', {}, entry.title), ' ', el('span', { class: 'detail' }, entry.detail)),
      ),
    ),
  );
}
