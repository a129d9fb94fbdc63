import { announce } from './announce.js';
import { ask } from './api.js';
import { decisionForm } from './decision-form.js';
import { button, el, fill } from './dom.js';
import { showProblem } from './problem.js';
import type { Story } from './story-search.js';

/** What can be done about an operation without an outcome; `again` looks at it anew. */
export function unfinishedActions(story: Story, again: () => Promise<void>): HTMLElement {
  const outcome = el('div');
  const resume = button('Resume', async () => {
    fill(outcome);
    try {
      const { status } = await ask<Story>(`/v1/operations/${story.id}/resume`, { method: 'POST', body: {} });
      if (status === 'interrupted')
        fill(outcome, el('p', { role: 'status' }, 'It was asked less than a recovery interval ago, or the provider still cannot tell.'));
      await again();
    } catch (error) {
      showProblem(outcome, error);
    }
  });
  return el(
    'section',
    { class: 'card actions', 'aria-labelledby': 'actions-title' },
    el('h3', { id: 'actions-title' }, 'It has no outcome yet'),
    el('p', {}, 'The recoverer goes on with it by itself. Resume does so at once; it never does a finished step twice.'),
    resume,
    el('details', {}, el('summary', {}, 'Decide it: the provider can’t tell, and a person knows'), decisionForm(story, again)),
    outcome,
  );
}

/** A key that no request has used can be given up for good. */
export function sealPanel(key: string): HTMLElement {
  const outcome = el('div');
  const seal = button('Seal this key', async () => {
    fill(outcome);
    try {
      const { state } = await ask<{ state: 'sealed' | 'completed' }>('/v1/operations/seal', {
        method: 'POST',
        body: { idempotencyKey: key },
      });
      const said =
        state === 'sealed'
          ? 'The key is sealed: no request with it will ever execute.'
          : 'The key was used meanwhile: search for it again.';
      fill(outcome, el('p', { role: 'status' }, said));
      announce(said);
    } catch (error) {
      showProblem(outcome, error);
    }
  });
  return el(
    'div',
    { class: 'card actions' },
    el('h2', {}, 'No request with this key is known'),
    el('p', {}, 'Of this account, none has executed under ', el('code', {}, key), '. It may still be on its way.'),
    el('p', {}, 'Whoever gives it up can seal the key: then it answers 409, and never executes, even if it arrives tomorrow.'),
    seal,
    outcome,
  );
}
