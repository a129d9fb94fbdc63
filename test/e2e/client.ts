import { v7 as uuidv7 } from 'uuid';

/** Where the service under test answers. */
export const BASE_URL = (process.env['BASE_URL'] || 'http://127.0.0.1:3000').replace(/\/$/, '');

/** The demo keys of docker-compose.yml. */
export const DEFAULT_KEY = 'hf_test_0000000000000000000000demo_0holdfastdevelopment0';
export const DEFAULT_KEY_B = 'hf_test_000000000000000000000demob_0holdfastdevelopment0';

export const KEY_A = process.env['DEMO_API_KEY'] || DEFAULT_KEY;
export const KEY_B = process.env['DEMO_API_KEY_B'] || DEFAULT_KEY_B;

/** What a test sends; `key: null` sends no Idempotency-Key, absent sends a fresh one with POST and PATCH. */
export interface E2eRequest {
  key?: string | null;
  as?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface E2eResponse {
  status: number;
  headers: Headers;
  /** The bytes as text. */
  text: string;
  body: Record<string, any>;
}

/** Sends one request as account A, unless told otherwise. */
export async function send(method: string, path: string, request: E2eRequest = {}): Promise<E2eResponse> {
  const { key = method === 'POST' || method === 'PATCH' ? freshKey() : null, as = KEY_A, body } = request;
  const response = await fetch(`${BASE_URL}${path}`, {
    method,
    headers: {
      ...(as !== null && { authorization: `Bearer ${as}` }),
      ...(key !== null && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parse(text) };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A key that was never used, on no database. */
export function freshKey(): string {
  return uuidv7();
}

/** @throws Error with one sentence when nothing answers, or the demo key doesn't fit */
export async function requireService(): Promise<void> {
  const live = await fetch(`${BASE_URL}/health/live`).catch(() => null);
  if (!live) {
    throw new Error(`Nothing answers at ${BASE_URL}: start the service (\`docker compose up\` or \`npm start\`), or set BASE_URL.`);
  }
  const { status } = await send('GET', '/v1/products?limit=1');
  if (status === 401) throw new Error(`${BASE_URL} does not know this API key: set DEMO_API_KEY and DEMO_API_KEY_B to its demo keys.`);
}

/** Sends it again, unchanged, for as long as the answer is not the final one: what a careful client does. */
export async function sendUntilFinal(path: string, request: E2eRequest & { key: string }): Promise<E2eResponse> {
  for (;;) {
    const response = await send('POST', path, request);
    if (response.status !== 202 && response.body['retry'] !== 'same-key') return response;
    await new Promise((wake) => setTimeout(wake, 1_000 * Number(response.headers.get('retry-after') ?? 1)));
  }
}

/** Every page of a list, oldest page last. */
export async function walk(path: string, limit: number, most = 20): Promise<Record<string, any>[][]> {
  const pages: Record<string, any>[][] = [];
  let cursor: string | null = null;
  do {
    const query: string = `limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { body } = await send('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`);
    pages.push(body['data'] as Record<string, any>[]);
    cursor = body['nextCursor'] as string | null;
  } while (cursor !== null && pages.length < most);
  return pages;
}
