import { dayAndClock, duration, money } from './format.js';
import type { ApiEvent, Story } from './story-search.js';

/** One thing that happened, in the words of the console. */
export interface Entry {
  at: string;
  title: string;
  detail: string;
  tone: 'plain' | 'good' | 'warn' | 'bad';
  /** It is still to come. */
  ahead?: boolean;
}

/** What the lines of a story are called; one that is not here is called as the API calls it. */
const TITLES: Readonly<Record<string, string>> = {
  claimed: 'Key claimed',
  batched: 'Came in a batch',
  item: 'Item of the batch',
  'step-started': 'Step begun',
  'provider-answered': 'Provider answered',
  parked: 'Put aside: the outcome is not known',
  resumed: 'Taken up again',
  decided: 'Decided by a person',
  settled: 'Answered',
  replayed: 'Stored answer given again',
  retried: 'Sent again before there was an answer',
  sealed: 'Key sealed',
};

const TONES: Readonly<Record<string, Entry['tone']>> = {
  parked: 'warn',
  replayed: 'good',
  retried: 'warn',
  decided: 'warn',
  sealed: 'bad',
};

/** Everything that is known of one request, in the order in which it happened, and when its key expires. */
export function entriesOf(story: Story, events: ApiEvent[], now: number): Entry[] {
  const lines = story.timeline.map(({ at, event, detail }): Entry => {
    const tone = event === 'settled' ? (Number(detail) < 400 ? 'good' : 'bad') : (TONES[event] ?? 'plain');
    return { at, title: TITLES[event] ?? event, detail, tone };
  });
  const told = events.map((event): Entry => {
    // It was written in the transaction whose line comes next, and became true with that.
    const at = lines.find((line) => Date.parse(line.at) >= Date.parse(event.createdAt))?.at ?? event.createdAt;
    return { at, title: `Event ${event.type}`, detail: subjectOf(event), tone: 'plain' };
  });
  const all = [...lines, ...told].toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return story.expiresAt === null ? all : [...all, expiry(story.expiresAt, now)];
}

function subjectOf({ resource: { id, version }, data }: ApiEvent): string {
  const amount = data['total'] ?? data['amount'];
  const sum = typeof amount === 'number' && typeof data['currency'] === 'string' ? `, ${money(amount, data['currency'])}` : '';
  const status = typeof data['status'] === 'string' ? `, ${data['status']}` : '';
  return `${id}, version ${version}${status}${sum}`;
}

function expiry(at: string, now: number): Entry {
  const ahead = Date.parse(at) > now;
  return {
    at,
    title: ahead ? 'Key expires' : 'Key expired',
    detail: ahead ? 'until then a retry gets the stored answer, afterwards 410' : 'a retry gets 410 and is not executed',
    tone: 'plain',
    ahead,
  };
}

/** How long after the beginning of the story something happened, or on which day where that is far away. */
export function offsetOf(entry: Entry, first: string): string {
  const seconds = (Date.parse(entry.at) - Date.parse(first)) / 1_000;
  if (entry.ahead || seconds > 86_400) return dayAndClock(entry.at);
  return `+${duration(seconds)}`;
}
