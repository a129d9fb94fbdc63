import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { v7 as uuidv7 } from 'uuid';
import { ensureDemoAccounts } from '../../src/accounts/demo-accounts.js';
import { createApp } from '../../src/app.js';
import { closeApp } from '../../src/http/lifecycle.js';
import { parseConfig } from '../../src/kernel/config.js';
import { KEY_A, KEY_B } from './keys.js';
import { createMigratedDatabase, type TestDatabase } from './database.js';

export { KEY_A, KEY_B };

/** What a test sends; `key: null` sends no Idempotency-Key, absent sends a fresh one with POST and PATCH. */
export interface TestRequest {
  key?: string | null;
  as?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface TestResponse {
  status: number;
  headers: Headers;
  /** The bytes as text. */
  text: string;
  // Tests read members of many shapes.
  body: Record<string, any>;
}

/** A replica that listens on a port of its own, in this process. */
export interface TestApp {
  app: NestFastifyApplication;
  url: string;
  send(method: string, path: string, request?: TestRequest): Promise<TestResponse>;
  close(): Promise<void>;
}

/** Starts a replica on the database; `env` overrides its configuration, `create` makes another application of it than this service's. */
export async function startApp(database: TestDatabase, env: Record<string, string> = {}, create = createApp): Promise<TestApp> {
  const config = parseConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    // Whoever names another address has one role for all.
    ...(env['DATABASE_URL'] === undefined && database.env),
    DEMO_API_KEY: KEY_A,
    DEMO_API_KEY_B: KEY_B,
    ...env,
  });
  // The template has the accounts of these keys.
  if (env['DEMO_API_KEY'] ?? env['DEMO_API_KEY_B']) await ensureDemoAccounts(database.url, config.demoKeys);
  const app = await create(config);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return { app, url, send: (method, path, request) => send(url, method, path, request), close: () => closeApp(app) };
}

/** A replica with a database of its own, and others beside it. */
export interface World extends TestApp {
  database: TestDatabase;
  /** Another replica on the same database, with `env` laid over the first one's; closed with the world. */
  secondApp(env?: Record<string, string>): Promise<TestApp>;
}

/** Starts a replica and its database; `close` ends both, and the other replicas before them. */
export async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const database = await createMigratedDatabase();
  const app = await startApp(database, env);
  const apps = [app];
  return {
    ...app,
    database,
    secondApp: async (more = {}) => {
      const second = await startApp(database, { ...env, ...more });
      apps.push(second);
      return second;
    },
    close: async () => {
      await Promise.all(apps.map((each) => each.close()));
      await database.drop();
    },
  };
}

/** Sends one request as account A, unless told otherwise. */
export async function send(url: string, method: string, path: string, request: TestRequest = {}): Promise<TestResponse> {
  const { key = method === 'POST' || method === 'PATCH' ? uuidv7() : null, as = KEY_A, body } = request;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(as !== null && { authorization: `Bearer ${as}` }),
      ...(key !== null && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
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

/** One order of one product. */
export const ORDER = { items: [{ productId: '123', quantity: 1 }] };

/** How many answers have each status. */
export function tally(answers: readonly { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Starts `count` requests at once. */
export function atOnce<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}
