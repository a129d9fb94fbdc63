import { freshKey, send, type Answer } from './api.js';
import { el, fill, labelled } from './dom.js';
import { finalOf } from './final.js';
import { showProblem } from './problem.js';
import type { Story } from './story-search.js';

/** What a person says became of a charge or refund. */
interface Decision {
  outcome: 'happened' | 'did-not-happen';
  providerReference?: string;
  note: string;
}

const RULES =
  'Only for what is flagged for review. The provider is asked once more, and where it can tell its word counts. Needs the scope admin.';

/** Asks a person what became of a charge or refund, and decides it so; `again` looks at the operation anew. */
export function decisionForm(story: Story, again: () => Promise<void>): HTMLElement {
  const { fields, read } = decisionFields();
  const outcome = el('div');
  const form = el('form', {}, el('p', {}, RULES), ...fields, el('button', { type: 'submit' }, 'Decide'), outcome);
  // One decision has one key, however often it is sent; another one is another intent.
  const keys = new Map<string, string>();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const body = read();
    const text = JSON.stringify(body);
    const key = keys.get(text) ?? freshKey();
    keys.set(text, key);
    void decide(`/v1/operations/${story.id}/decision`, { key, body, outcome })
      .then(again)
      .catch((error: unknown) => showProblem(outcome, error));
  });
  return form;
}

function decisionFields(): { fields: HTMLElement[]; read: () => Decision } {
  const choice = (value: Decision['outcome']): HTMLInputElement => el('input', { type: 'radio', name: 'outcome', value, required: true });
  const [happened, didNot] = [choice('happened'), choice('did-not-happen')];
  const reference = el('input', { type: 'text', maxlength: 255, autocomplete: 'off', spellcheck: 'false' });
  const note = el('input', { type: 'text', maxlength: 255, required: true, autocomplete: 'off' });
  return {
    fields: [
      el(
        'fieldset',
        {},
        el('legend', {}, 'Did it happen at the provider?'),
        el('label', {}, happened, ' It happened'),
        el('label', {}, didNot, ' It did not happen'),
      ),
      labelled('The provider’s id of it, where it happened', reference),
      labelled('How it was found out', note, 'It stands in the timeline, with the id of your API key.'),
    ],
    read: () => {
      const said = { outcome: happened.checked ? ('happened' as const) : ('did-not-happen' as const), note: note.value.trim() };
      const providerReference = reference.value.trim();
      return happened.checked && providerReference ? { ...said, providerReference } : said;
    },
  };
}

/** Sends the decision until it is final: the provider is asked first, and may be slow. */
async function decide(path: string, { key, body, outcome }: { key: string; body: Decision; outcome: HTMLElement }): Promise<void> {
  fill(outcome, el('p', { role: 'status' }, 'The provider is asked once more…'));
  const once = (): Promise<Answer> => send(path, { method: 'POST', key, body });
  await finalOf(await once(), once);
  fill(outcome, el('p', { role: 'status' }, 'It is decided.'));
}
