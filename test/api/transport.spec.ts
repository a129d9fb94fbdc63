import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { KEY_A, ORDER, startWorld } from '../support/app.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';
import { exchange, open, parse, sendRaw, type RawResponse } from '../support/raw-http.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const KEY = `authorization: Bearer ${KEY_A}`;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

const head = (line: string, ...headers: string[]): string => `${line} HTTP/1.1\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n`;
const say = async (text: string): Promise<RawResponse> => parse(await exchange(world.url, Buffer.from(text)));

/** What comes back on the connection until `enough`, or until it ends. */
function heard(socket: Socket, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough(text)) resolve(text);
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
}

/** Sends the head, then `megabytes` without a look at what comes back, and only then reads. A reset fails it. */
async function writeAllThenRead(start: string, megabytes: number): Promise<RawResponse> {
  const socket = open(world.url).pause();
  await once(socket, 'connect');
  const failure = once(socket, 'error').then(([error]) => Promise.reject(error as Error));
  failure.catch(() => undefined);
  socket.write(start);
  for (let sent = 0; sent < megabytes * 1024 * 1024; sent += CHUNK.length) {
    if (!socket.write(CHUNK)) await Promise.race([once(socket, 'drain'), failure]);
  }
  await sleep(50);
  socket.end();
  const answer = heard(socket);
  socket.resume();
  return parse(await answer);
}

describe('a refusal reaches a client that is still writing', () => {
  const length = `content-length: ${8 * 1024 * 1024}`;
  const json = 'content-type: application/json';

  it.each<[string, 'unauthenticated' | 'not-found' | 'payload-too-large' | 'insufficient-scope' | 'invalid-request', string]>([
    ['a stranger', 'unauthenticated', head('POST /v1/orders', 'host: x', length)],
    ['a stranger who ends the connection', 'unauthenticated', head('POST /v1/orders', 'host: x', 'connection: close', length)],
    ['an unknown route', 'not-found', head('POST /v1/nowhere', 'host: x', length)],
    ['a body that is too large', 'payload-too-large', head('POST /v1/orders', 'host: x', KEY, 'idempotency-key: a', json, length)],
    ['two hosts', 'invalid-request', head('POST /v1/orders', 'host: x', 'host: y', length)],
    ['what is no HTTP', 'invalid-request', 'GARBAGE\r\n\r\n'],
  ])('%s', async (_name, code, start) => {
    expectProblem(await writeAllThenRead(start, 8), code);
  });

  it('a body that grows too large on the way', async () => {
    const socket = open(world.url);
    socket.write(head('POST /v1/orders', 'host: x', KEY, 'idempotency-key: b', json, 'transfer-encoding: chunked'));
    const answer = heard(socket);
    for (let sent = 0; sent < 64; sent += 1) {
      socket.write(Buffer.concat([Buffer.from('10000\r\n'), CHUNK, Buffer.from('\r\n')]));
      await sleep(1);
    }
    socket.end('0\r\n\r\n');
    expectProblem(parse(await answer), 'payload-too-large');
  });

  it('but one that never stops loses its connection', async () => {
    const socket = open(world.url);
    socket.write(head('POST /v1/orders', 'host: x', `content-length: ${1024 ** 4}`));
    const ended = heard(socket).catch(() => 'reset');
    let sent = 0;
    for (; !socket.destroyed && sent < 256 * 1024 ** 2; sent += CHUNK.length) {
      if (!socket.write(CHUNK)) await Promise.race([once(socket, 'drain'), ended]);
    }
    expect(socket.destroyed).toBe(true);
    expect(sent).toBeLessThan(64 * 1024 ** 2);
  });

  it('and one that waits for it doesn’t wait long: the answer leaves at once', async () => {
    for (const [line, code] of [
      ['POST /v1/orders', 'unauthenticated'],
      ['POST /v1/nowhere', 'not-found'],
      ['PATCH /v1/orders/x', 'unauthenticated'],
    ] as const) {
      const socket = open(world.url);
      socket.write(head(line, 'host: x', 'content-type: application/json', 'content-length: 1000000'));
      const text = await heard(socket, (received) => received.endsWith('}'));
      expectProblem(parse(text), code);
      socket.destroy();
    }
  });

  it('a connection serves on after a small body that nobody read', async () => {
    const socket = open(world.url);
    for (const line of ['POST /v1/orders', 'POST /v1/nowhere']) {
      socket.write(`${head(line, 'host: x', 'content-length: 5')}hello`);
      const answer = parse(await heard(socket, (received) => received.endsWith('}')));
      expect([401, 404]).toContain(answer.status);
      expect(answer.headers.get('connection')).not.toBe('close');
      socket.removeAllListeners('data');
    }
    socket.write(head('GET /health/live', 'host: x'));
    expect(await heard(socket, (received) => received.endsWith('}'))).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });
});

describe('what node:http would answer by itself is a problem', () => {
  it.each<[string, string]>([
    ['no Host', head('GET /v1/orders', KEY, 'connection: close')],
    ['no Host, on an unknown route', head('GET /v1/nowhere', 'connection: close')],
    ['two Hosts', head('GET /v1/orders', 'host: x', 'Host: y', KEY, 'connection: close')],
    ['the same Host twice', head('GET /v1/orders', 'host: x', 'host: x', KEY, 'connection: close')],
    ['an expectation that nobody knows', head('GET /v1/orders', 'host: x', 'expect: a-miracle', KEY, 'connection: close')],
    ['1 500 headers', head('GET /v1/orders', 'host: x', KEY, 'connection: close', ...Array.from({ length: 1_500 }, () => 'a: b'))],
  ])('%s', async (_name, text) => {
    expectProblem(await say(text), 'invalid-request');
  });

  it('HTTP/1.0 needs no Host', async () => {
    expect(await exchange(world.url, Buffer.from('GET /health/live HTTP/1.0\r\n\r\n'))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([900, 1_500])('a second Idempotency-Key behind %i other headers is seen', async (others) => {
    const headers: [string, string][] = [
      ['authorization', `Bearer ${KEY_A}`],
      ['content-type', 'application/json'],
      ['idempotency-key', uuidv7()],
      ...Array.from({ length: others }, (): [string, string] => ['a', 'b']),
      ['idempotency-key', uuidv7()],
    ];
    const before = await countOf(world.database, 'orders');
    expectProblem(
      await sendRaw(world.url, { headers, body: JSON.stringify(ORDER) }),
      others < 1_000 ? 'idempotency-key-invalid' : 'invalid-request',
    );
    expect(await countOf(world.database, 'orders')).toBe(before);
  });

  it('a client that asks first is told to continue only when its body will be read', async () => {
    const body = JSON.stringify(ORDER);
    const asks = ['host: x', 'expect: 100-continue', 'content-type: application/json', `content-length: ${body.length}`];
    const stranger = open(world.url);
    stranger.write(head('POST /v1/orders', ...asks));
    expect(await heard(stranger, (received) => received.endsWith('}'))).toMatch(/^HTTP\/1\.1 401 /);
    stranger.destroy();
    const known = open(world.url);
    known.write(head('POST /v1/orders', ...asks, KEY, `idempotency-key: ${uuidv7()}`));
    expect(await heard(known, (received) => received.endsWith('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    known.removeAllListeners('data').write(body);
    expect(await heard(known, (received) => received.endsWith('}'))).toMatch(/^HTTP\/1\.1 201 /);
    known.destroy();
  });
});

it('what does not arrive in time is 408, and the same key then does it', async () => {
  const key = uuidv7();
  const body = JSON.stringify(ORDER);
  const start = head(
    'POST /v1/orders',
    'host: x',
    KEY,
    `idempotency-key: ${key}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  );
  const slow = open(world.url);
  slow.write(start + body.slice(0, 10));
  const drip = setInterval(() => slow.writable && slow.write(' '), 5_000);
  const stalled = open(world.url);
  stalled.write('POST /v1/orders HTTP/1.1\r\nhost: x\r\nidempotency-key: ');
  const answers = await Promise.all([heard(slow), heard(stalled)]);
  clearInterval(drip);
  for (const answer of answers) expectProblem(parse(answer), 'request-timeout');
  expect(await recordsOf(world.database, key)).toEqual([]);
  expect((await world.send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
}, 60_000);
