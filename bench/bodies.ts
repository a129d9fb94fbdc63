import { readFileSync } from 'node:fs';
import { v7 as uuidv7 } from 'uuid';
import { inWorld } from '../local/in-world.js';
import { BODY_LIMIT } from '../src/http/body-size.js';
import { Progress } from '../src/kernel/progress.js';
import { signWebhook, webhookKey } from '../src/kernel/signatures.js';
import { HOLDFAST } from './context.js';
import { API_KEY } from './requests.js';
import type { Service } from './service.js';
import { median, rounded } from './statistics.js';
import { World } from './world.js';

/**
 * What the worst body of each route costs the service, of bodies of 1 MiB that are made to cost: CPU time from the request to its
 * refusal. A body that costs much keeps everybody waiting, whoever sends it. What is executed has the work of its handler in
 * its time, and is told apart.
 */
const GOAL_MS = 50;
/** Of each body; the median counts. */
const REQUESTS = 7;
const WEBHOOK_SECRET = `whsec_${Buffer.from('the secret of the bench, 24 bytes or more').toString('base64')}`;

interface Route {
  method: string;
  path: string;
  /** A body that is right. */
  example: unknown;
}

interface Cost {
  /** Of the body. */
  name: string;
  /** Of CPU. */
  ms: number;
  status: number;
}

const progress = new Progress(routes().length);
await inWorld(
  () => new World(),
  async (world) => {
    await world.prepare(1_000);
    const service = await world.start('holdfast', HOLDFAST, { PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET });
    let worst = 0;
    for (const route of routes()) {
      progress.step(`${route.method} ${route.path}`);
      const costs = await costsOf(service, route);
      const refused = costs.find(({ status }) => status >= 400);
      const executed = costs.find(({ status }) => status < 400);
      worst = Math.max(worst, refused?.ms ?? 0);
      process.stdout.write(`${route.method} ${route.path}: refused ${wordsFor(refused)}; executed ${wordsFor(executed)}\n`);
    }
    process.stdout.write(`the worst refusal: ${rounded(worst)} ms of CPU; within ${GOAL_MS} ms: ${worst <= GOAL_MS ? 'yes' : 'no'}\n`);
  },
);

function wordsFor(cost: Cost | undefined): string {
  return cost ? `${rounded(cost.ms)} ms (${cost.status}, ${cost.name})` : 'none';
}

/** Of each body, the dearest first. */
async function costsOf(service: Service, route: Route): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (const [name, body] of bodies(route.example)) {
    const times: number[] = [];
    let status = 0;
    for (let n = 0; n < REQUESTS; n += 1) {
      const before = service.cpu();
      status = await send(service.url, route, body);
      times.push((service.cpu() - before) / 1_000);
    }
    costs.push({ name, ms: median(times), status });
  }
  return costs.toSorted((one, other) => other.ms - one.ms);
}

async function send(url: string, { method, path }: Route, body: string): Promise<number> {
  const [id, timestamp] = [`evt_${uuidv7()}`, String(Math.floor(Date.now() / 1_000))];
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${API_KEY}`,
    'idempotency-key': uuidv7(),
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signWebhook(webhookKey(WEBHOOK_SECRET), id, timestamp, body),
  };
  const answer = await fetch(url + path.replace(/\{\w+\}/, 'none'), { method, headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

/** Those that take a body, by the published document. */
function routes(): Route[] {
  type Operation = { requestBody?: { content?: Record<string, { examples?: Record<string, { value: unknown }> }> } };
  const text = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8');
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) => {
      const [first] = Object.values(requestBody?.content?.['application/json']?.examples ?? {});
      return first ? [{ method: method.toUpperCase(), path, example: first.value }] : [];
    }),
  );
}

/** Bodies of 1 MiB each, by what is much in them. */
function bodies(example: unknown): [name: string, body: string][] {
  const long = (unit: string): string => unit.repeat(Math.floor((BODY_LIMIT - 100) / unit.length));
  const members = (name: (n: number) => string): string => {
    let all = '';
    for (let n = 0; all.length < BODY_LIMIT - 100; n += 1) all += `${n > 0 ? ',' : ''}"${name(n)}":0`;
    return all;
  };
  const wide = members((n) => `a${n}`);
  const right = JSON.stringify(example);
  const names = Array.from({ length: 90 }, (_, n) => `"${String(n).padEnd(11_000, 'x')}":0`).join(',');
  return [
    ['members', `{${wide}}`],
    ['members of metadata', `{"metadata":{${wide.slice(0, -20).replace(/,[^,]*$/, '')}}}`],
    ['one member again and again', `{${members(() => 'a')}}`],
    ['empty elements', `{"items":[${long('{},')}{}]}`],
    ['lists in lists', `{"items":${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
    ['a long text', `{"a":"${long('x')}"}`],
    ['a text of escapes', `{"a":"${long('\\u0061')}"}`],
    ['a text of digits', `{"a":"${long('4111 1111 1111 1112 ')}"}`],
    ['a note of digits', `{"metadata":{"a":"${long('4111111111111112')}"},"note":"${long('4').slice(0, 10)}"}`.slice(0, BODY_LIMIT)],
    ['a long number', `{"a":${long('1')}}`],
    ['long names', `{${names}}`],
    ['blanks around what is right', `${' '.repeat(BODY_LIMIT - right.length)}${right}`],
    ...[20, 50, 100, 1_000].map((count): [string, string] => [`${count} elements of what is right`, JSON.stringify(grown(example, count))]),
  ].map(([name = '', body = '']) => [name, body.slice(0, BODY_LIMIT)]);
}

/** The same with its lists as long, as far as that fits a body. */
function grown(value: unknown, count: number): unknown {
  if (Array.isArray(value)) {
    const [first] = value as unknown[];
    const most = Math.floor((BODY_LIMIT - 1_000) / (JSON.stringify(first).length + 1));
    return Array.from({ length: Math.min(count, most) }, () => first);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, grown(each, count)]));
}
