import { Refusal, send, type Answer, type Request } from './api.js';
import { el, fill } from './dom.js';
import { duration } from './format.js';
import { problemPanel } from './problem.js';

/** Something to try, with the buttons that do it. */
export interface Trial {
  title: string;
  text: string;
  controls: HTMLElement;
  view: TrialView;
}

/** The things that a trial is about, counted by reading them back. */
export interface Effects {
  count: number;
  /** What is counted, in the singular and the plural. */
  noun: [string, string];
  /** From where it was read. */
  from: string;
  detail?: string | undefined;
}

/** What a trial shows while it goes on: its key, each request with its answer, and what there is in the end. */
export class TrialView {
  private readonly key = el('p', { class: 'trial-key' });
  private readonly requests = el('ol', { class: 'exchanges' });
  private readonly effects = el('div', { class: 'outcome', role: 'status' });
  private readonly trouble = el('div');
  readonly element = el('div', { class: 'trial-output', hidden: true }, this.key, this.requests, this.effects, this.trouble);

  /** Begins anew, with this key. */
  begin(key: string): void {
    this.element.hidden = false;
    fill(this.key, 'Idempotency-Key ', el('code', {}, key));
    fill(this.requests);
    fill(this.effects);
    fill(this.trouble);
  }

  /** Sends a request, and lists it with what came of it. */
  async send(path: string, request: Request): Promise<Answer> {
    const tell = this.list(path, request);
    const answer = await send(path, request);
    tell(answerLine(answer));
    return answer;
  }

  /** Lists a request; what is called back with stands behind it. */
  list(path: string, { method = 'POST', headers = {} }: Request): (answer: { text: string; tone: string }) => void {
    const place = el('span', { class: 'answer' }, 'waiting…');
    const said = Object.entries(headers).map(([name, value]) => el('code', { class: 'header' }, `${name}: ${value}`));
    this.requests.append(el('li', {}, el('span', { class: 'sent' }, el('code', {}, `${method} ${path}`), ' ', ...said), place));
    return ({ text, tone }) => {
      place.classList.add(tone);
      fill(place, text);
    };
  }

  /** What the trial came to. */
  show({ count, noun: [one, many], from, detail }: Effects): void {
    const said = `${count} ${count === 1 ? one : many}`;
    fill(
      this.effects,
      el(
        'p',
        { class: `effects ${count === 1 ? 'good' : 'warn'}` },
        el('strong', {}, said),
        ` read back from ${from}${detail ? `; ${detail}` : ''}`,
      ),
    );
  }

  /** Does one part of a trial; what the API refuses on the way is shown, with what to do. */
  async during(part: () => Promise<void>): Promise<void> {
    try {
      fill(this.trouble);
      await part();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.element.hidden = false;
      fill(this.trouble, problemPanel(error.problem));
    }
  }

  /** A way to the whole story. */
  link(operationId: string | null): void {
    if (operationId !== null)
      this.effects.append(el('p', {}, el('a', { href: `#story/${operationId}` }, 'The whole story of this request')));
  }
}

/** An answer in a line. */
export function answerLine({ status, headers, body, ms }: Answer): { text: string; tone: string } {
  if (status === 0) return { text: 'no answer', tone: 'warn' };
  const { id, code, status: state } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const parts = [
    String(status),
    typeof code === 'string' ? code : typeof id === 'string' && id,
    typeof code !== 'string' && typeof state === 'string' && state,
    headers.get('idempotent-replayed') === 'true' && 'Idempotent-Replayed: true',
    headers.has('retry-after') && `Retry-After: ${headers.get('retry-after')}`,
    duration(ms / 1_000),
  ];
  return {
    text: parts.filter((part) => part !== false && part !== '').join(' · '),
    tone: status >= 400 ? 'bad' : status === 202 ? 'warn' : 'good',
  };
}
