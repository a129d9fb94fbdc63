import type { Problem } from './outcome.js';
import { isJson } from './wanted.js';

/** What a server answered to one attempt. */
export interface Answer {
  status: number;
  /** By their names in lower case, without cookies. */
  headers: Record<string, string>;
  /** What the JSON of it says, its text where it is no JSON, null where it is empty. */
  body: unknown;
}

/**
 * Reads a response to its end.
 * @throws where the connection ends before it, and where JSON is announced and something else comes: cut off, or not from the server
 */
export async function readAnswer(response: Response): Promise<Answer> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'));
  const text = await response.text();
  const body: unknown = text === '' ? null : isJson(headers['content-type']) ? JSON.parse(text) : text;
  return { status: response.status, headers, body };
}

/** The problem that an answer tells; one made of its status where it tells none. */
export function problemOf({ status, body }: Answer): Problem {
  const told = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Partial<Problem>) : {};
  return { title: `The server answered ${status}`, ...told, status };
}

/** Whether the answer is that of an earlier attempt. */
export function isReplay({ headers }: Answer): boolean {
  return headers['idempotent-replayed'] === 'true';
}

/** The operation that an answer names, in its header or in its problem. */
export function operationIdOf({ headers, body }: Answer): string | undefined {
  const told = (body as { operationId?: unknown } | null)?.operationId;
  return headers['operation-id'] ?? (typeof told === 'string' ? told : undefined);
}
