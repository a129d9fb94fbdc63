import { once } from 'node:events';
import type { Socket } from 'node:net';
import { MAX_CONNECTIONS } from '../../src/http/transport.js';
import { KEY_A, ORDER, startWorld } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { open, parse } from '../support/raw-http.js';
import { WEBHOOK_SECRET } from '../support/payments.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld({ PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => world.close());

const sockets: Socket[] = [];
const MIB = 1024 * 1024;
const ALMOST = Buffer.alloc(MIB - 1, ' ');

/** A connection that is closed with the test; `heard` is what came back on it so far. */
interface Connection {
  socket: Socket;
  heard: string;
  closed: boolean;
}

function connection(): Connection {
  const made: Connection = { socket: open(world.url), heard: '', closed: false };
  sockets.push(made.socket);
  made.socket
    .on('data', (chunk) => (made.heard += chunk.toString('latin1')))
    .on('error', () => undefined)
    .on('close', () => (made.closed = true));
  return made;
}

/** Sends the head of a request, and all of its body of 1 MiB but the last byte. */
function sendHalf(path: string, headers: Record<string, string>): Connection {
  const half = connection();
  const lines = Object.entries({ host: 'x', 'content-type': 'application/json', 'content-length': String(MIB), ...headers });
  half.socket.write(`POST ${path} HTTP/1.1\r\n${lines.map((line) => `${line.join(': ')}\r\n`).join('')}\r\n`);
  half.socket.write(ALMOST);
  return half;
}

const ofClient = (): Connection => sendHalf('/v1/orders', { authorization: `Bearer ${KEY_A}`, 'idempotency-key': crypto.randomUUID() });
/** With headers that anybody can make up. */
const ofProvider = (): Connection =>
  sendHalf('/v1/provider/webhooks', {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
    'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
  });

/** Holds so many halves, and returns what the first one that is refused hears. */
async function firstRefused(halves: Connection[]): Promise<Connection> {
  return eventually('a half to be refused', () => halves.find(({ heard }) => heard.includes('\r\n\r\n')));
}

/** Sends an order in two pieces, so that its body is half sent for a moment. */
async function orderInTwoPieces(): Promise<number> {
  const order = connection();
  const body = JSON.stringify(ORDER);
  const lines = ['host: x', `authorization: Bearer ${KEY_A}`, `idempotency-key: ${crypto.randomUUID()}`, 'content-type: application/json'];
  order.socket.write(`POST /v1/orders HTTP/1.1\r\n${lines.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
  await world.send('GET', '/v1/orders');
  order.socket.write(body.slice(10));
  await eventually('an answer', () => order.heard.includes('\r\n\r\n'));
  return parse(order.heard).status;
}

describe('bodies that have arrived in part', () => {
  it('hold 128 MiB together and no more: the one beyond is refused, and when they are gone there is room', async () => {
    const halves = Array.from({ length: 128 }, ofClient);
    // 128 bytes are left of the bound.
    expect(await orderInTwoPieces()).toBe(201);
    halves.push(ofClient());
    expectProblem(parse((await firstRefused(halves)).heard), 'service-unavailable');
    for (const { socket } of halves) socket.destroy();
    await eventually('room for another', async () => (await orderInTwoPieces()) === 201);
  }, 60_000);

  it('of events of the provider hold 16 MiB, and clients have their room beside them', async () => {
    const halves = Array.from({ length: 17 }, ofProvider);
    expectProblem(parse((await firstRefused(halves)).heard), 'service-unavailable');
    expect(await orderInTwoPieces()).toBe(201);
    const others = Array.from({ length: 20 }, ofClient);
    expect(await orderInTwoPieces()).toBe(201);
    expect(others.map(({ heard }) => heard)).toEqual(others.map(() => ''));
  });
});

it('a process has 4,096 connections: one beyond them is closed, and one that leaves makes room', async () => {
  expect(MAX_CONNECTIONS).toBe(4_096);
  const server = world.app.getHttpServer() as { getConnections(tell: (error: Error | null, count: number) => void): void };
  const count = (): Promise<number> => new Promise((resolve) => server.getConnections((_error, connections) => resolve(connections)));
  const isServed = async (): Promise<boolean> => {
    const asking = connection();
    asking.socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await once(asking.socket, 'close');
    return asking.heard.startsWith('HTTP/1.1 200');
  };
  const held: Connection[] = [];
  while ((await count()) < MAX_CONNECTIONS) {
    const batch = Array.from({ length: Math.min(256, MAX_CONNECTIONS - (await count())) }, connection);
    held.push(...batch);
    await eventually('them to be there', async () => batch.some(({ closed }) => closed) || (await count()) >= held.length);
  }
  expect(await isServed()).toBe(false);
  held.find(({ closed }) => !closed)?.socket.destroy();
  await eventually('room', isServed);
}, 60_000);
