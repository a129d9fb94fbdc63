import { ask, Refusal, type Page } from './api.js';

/** The story of one request, as `GET /v1/operations/{id}` tells it. */
export interface Story {
  id: string;
  operation: string;
  status: 'running' | 'interrupted' | 'completed';
  recoveryPoint: string | null;
  attempts: number;
  resource: string | null;
  response: { status: number } | null;
  replays: number;
  createdAt: string;
  completedAt: string | null;
  expiresAt: string | null;
  timeline: { at: string; event: string; detail: string }[];
}

/** Something that became true, as `GET /v1/events` tells it. */
export interface ApiEvent {
  id: string;
  type: string;
  createdAt: string;
  operationId: string | null;
  idempotencyKey: string | null;
  resource: { type: string; id: string; version: number };
  data: Record<string, unknown>;
}

const ID = '[0-7][0-9a-hjkmnp-tv-z]{25}';
const OPERATION = new RegExp(`^op_${ID}$`);
const RESOURCE = new RegExp(`^(?:ord|pay|re|tkt)_${ID}$`);

/** Stories, newest first; `heading` says which they are. */
export interface Found {
  heading: string;
  stories: Story[];
  /** Nothing is known of it as a key either, so it can be sealed. */
  unusedKey?: string;
}

const OPERATIONS = '/v1/operations';

/** The story of an operation. @throws Refusal */
export function readStory(id: string): Promise<Story> {
  return ask(`${OPERATIONS}/${encodeURIComponent(id)}`);
}

/**
 * Finds requests by the id of their operation, by what they made or changed, or by their idempotency key; without a text, the latest
 * ones. @throws Refusal
 */
export async function find(text: string): Promise<Found> {
  if (text === '') return { heading: 'The latest requests with a key', stories: (await ask<Page<Story>>(`${OPERATIONS}?limit=10`)).data };
  if (OPERATION.test(text)) return { heading: '', stories: [await readStory(text)] };
  if (RESOURCE.test(text)) {
    const stories = await storiesOf(text);
    if (stories.length > 0) return { heading: `What was done with ${text}`, stories };
  }
  const { data } = await ask<Page<Story>>(`${OPERATIONS}?idempotencyKey=${encodeURIComponent(text)}`);
  return { heading: '', stories: data, ...(data.length === 0 && { unusedKey: text }) };
}

/** The events of a resource name the operations that changed it. */
async function storiesOf(resource: string): Promise<Story[]> {
  const events = await eventsOf(resource);
  const ids = [...new Set(events.map(({ operationId }) => operationId).filter((id) => id !== null))];
  return Promise.all(ids.map(readStory));
}

function eventsOf(resource: string): Promise<ApiEvent[]> {
  return ask<Page<ApiEvent>>(`/v1/events?limit=100&resource=${encodeURIComponent(resource)}`).then(({ data }) => data);
}

/** The events of one operation, also those of the order that its payment paid; null where the API key may not read events. */
export async function eventsOfStory({ id, resource }: Story): Promise<ApiEvent[] | null> {
  const own = resource?.split('/').at(-1);
  if (!own) return [];
  try {
    const events = await eventsOf(own);
    const others = new Set(events.flatMap(({ data }) => [data['orderId'], data['paymentId']]).filter((name) => typeof name === 'string'));
    const more = await Promise.all([...others].map(eventsOf));
    return [events, ...more].flat().filter(({ operationId }) => operationId === id);
  } catch (error) {
    if (error instanceof Refusal && error.problem.code === 'insufficient-scope') return null;
    throw error;
  }
}
