import { Logger } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { publicId } from '../../src/kernel/ids.js';
import { KEY_B, startWorld, type World } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, countOf } from '../support/ledger.js';
import { Receiver, TELL, endpointAt, hurry, tell, untilAllSettled } from './receiver.js';

let world: World;
let receivers: Receiver[] = [];
/** The acts of the trail that are warnings. */
let acts: unknown[] = [];
beforeAll(async () => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void acts.push(line));
  world = await startWorld();
  // Two replicas share the work throughout.
  await world.secondApp();
});
afterEach(async () => {
  await world.database.query('DELETE FROM webhook_endpoints; DELETE FROM webhook_deliveries; DELETE FROM events');
  await Promise.all(receivers.map((receiver) => receiver.close()));
  receivers = [];
  acts = [];
});
afterAll(() => world.close());

async function receive(): Promise<Receiver> {
  const receiver = await Receiver.start();
  receivers.push(receiver);
  return receiver;
}

const secretOf = async (id: string): Promise<string> =>
  String((await world.send('GET', `/v1/webhook-endpoints/${id}/secret`)).body['secret']);
const deliveriesOf = async (id: string): Promise<Record<string, any>[]> =>
  (await world.send('GET', `/v1/webhook-endpoints/${id}/deliveries`)).body['data'];

it('an event arrives once at each endpoint that wants its type, signed, as it is', async () => {
  const [all, some, others] = [await receive(), await receive(), await receive()];
  const id = await endpointAt(world, all.url);
  await endpointAt(world, some.url, { types: ['order.updated', 'order.paid'] });
  await endpointAt(world, others.url, { types: ['ticket.created'] });
  await endpointAt(world, others.url, { as: KEY_B });
  const event = await tell(world.database, 'ord_1', 1);
  await untilAllSettled(world.database);
  expect([all.received.length, some.received.length, others.received.length]).toEqual([1, 1, 0]);
  const [message] = all.received;
  expect(message?.headers).toMatchObject({ 'webhook-id': event, 'content-type': 'application/json' });
  const verified = new Webhook(await secretOf(id)).verify(message?.body ?? '', message?.headers as Record<string, string>);
  expect(verified).toEqual({
    id: event,
    type: 'order.updated',
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    operationId: null,
    idempotencyKey: null,
    resource: { type: 'order', id: 'ord_1', version: 1 },
    data: { id: 'ord_1', version: 1 },
  });
  expect(await deliveriesOf(id)).toEqual([
    expect.objectContaining({
      eventId: event,
      eventType: 'order.updated',
      status: 'delivered',
      nextAttemptAt: null,
      attempts: [{ attempt: 1, at: expect.any(String), status: 204, error: null, ms: expect.any(Number) }],
    }),
  ]);
});

it('what is rolled back is not sent, and what commits late is', async () => {
  const receiver = await receive();
  await endpointAt(world, receiver.url);
  const [late, undone] = [new Client(world.database.url), new Client(world.database.url)];
  await Promise.all([late.connect(), undone.connect()]);
  for (const [client, resource] of [
    [late, 'ord_late'],
    [undone, 'ord_undone'],
  ] as const) {
    await client.query('BEGIN');
    await client.query(TELL, [ACCOUNT_A, uuidv7(), 'order.created', resource, 1]);
  }
  await tell(world.database, 'ord_soon', 1);
  await rounds();
  await undone.query('ROLLBACK');
  await late.query('COMMIT');
  await Promise.all([late.end(), undone.end()]);
  await untilAllSettled(world.database);
  expect(receiver.received.map(({ resource }) => resource).sort()).toEqual(['ord_late@1', 'ord_soon@1']);
});

it('versions of a resource arrive in order, each after the one before was taken; others don’t wait', async () => {
  const receiver = await receive();
  let refusals = 0;
  receiver.answer = ({ resource }) => (resource.startsWith('ord_slow@') && ++refusals % 3 !== 0 ? 503 : 200);
  await endpointAt(world, receiver.url);
  for (let version = 1; version <= 4; version++) await tell(world.database, 'ord_slow', version);
  await tell(world.database, 'ord_quick', 1);
  await eventually('the other one', () => receiver.of('ord_quick').length === 1);
  expect(receiver.of('ord_slow').every((resource) => resource === 'ord_slow@1')).toBe(true);
  await untilAllSettled(world.database);
  expect(receiver.of('ord_slow')).toEqual([1, 2, 3, 4].flatMap((version) => Array(3).fill(`ord_slow@${version}`)));
  // Each time the same bytes under the same id.
  const sent = receiver.received.filter(({ resource }) => resource === 'ord_slow@2');
  expect(new Set(sent.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
});

/** Waits until the dispatchers have looked for work, and found it: messages to another account, one after the other. */
async function rounds(): Promise<void> {
  const receiver = await receive();
  const id = await endpointAt(world, receiver.url, { as: KEY_B });
  for (let n = 1; n <= 3; n++) {
    await world.send('POST', `/v1/webhook-endpoints/${id}/test`, { as: KEY_B });
    await eventually('a test to arrive', () => receiver.received.length === n);
  }
}

/** A transaction with an id of its own, above those of the ones before. */
async function begin(): Promise<Client> {
  const client = new Client(world.database.url);
  await client.connect();
  await client.query('BEGIN; SELECT pg_current_xact_id()');
  return client;
}

// The first one waited for the row lock of the third one; the second one still runs, so the third one's event is not read yet.
it('a version goes before the next one, also where its transaction began later', async () => {
  const receiver = await receive();
  await endpointAt(world, receiver.url);
  const [oldest, middle, youngest] = [await begin(), await begin(), await begin()];
  await youngest.query(TELL, [ACCOUNT_A, uuidv7(), 'order.updated', 'ord_x', 1]);
  await youngest.query('COMMIT');
  await oldest.query(TELL, [ACCOUNT_A, uuidv7(), 'order.updated', 'ord_x', 2]);
  await oldest.query('COMMIT');
  await eventually('both', () => receiver.of('ord_x').length === 2);
  await middle.query('COMMIT');
  await Promise.all([oldest, middle, youngest].map((client) => client.end()));
  await untilAllSettled(world.database);
  expect(receiver.of('ord_x')).toEqual(['ord_x@1', 'ord_x@2']);
});

it('endpoints that never answer delay no other', async () => {
  const [dead, alive] = [await receive(), await receive()];
  dead.answer = () => null;
  for (let n = 0; n < 8; n++) await endpointAt(world, dead.url);
  await endpointAt(world, alive.url);
  for (let n = 0; n < 30; n++) await tell(world.database, `ord_${n}`, 1);
  await eventually('all at the one that works', () => alive.received.length === 30, 9_000);
  // Those that took their time have not come to an end.
  expect(await countOf(world.database, 'webhook_deliveries', `status = 'delivered'`)).toBe(30);
  expect(await countOf(world.database, 'webhook_endpoints', 'failing_since IS NULL')).toBe(9);
}, 30_000);

it('a receiver that was down ends with every event, in order, and two replicas send each once', async () => {
  const receiver = await receive();
  const { port } = receiver;
  await endpointAt(world, receiver.url);
  await receiver.close();
  for (let version = 1; version <= 5; version++) {
    for (let n = 0; n < 20; n++) await tell(world.database, `ord_${n}`, version);
  }
  await eventually('a failure', async () => (await countOf(world.database, 'webhook_endpoints', 'failing_since IS NOT NULL')) === 1);
  const back = await Receiver.start(port);
  receivers.push(back);
  await untilAllSettled(world.database);
  expect(back.received.length).toBe(100);
  for (let n = 0; n < 20; n++) expect(back.of(`ord_${n}`)).toEqual([1, 2, 3, 4, 5].map((version) => `ord_${n}@${version}`));
  expect(await countOf(world.database, 'webhook_endpoints', 'failing_since IS NOT NULL')).toBe(0);
}, 40_000);

describe('a failing endpoint', () => {
  it.each([
    [301, 'redirects'],
    [404, 'finds nothing'],
    [500, 'fails'],
  ])('that answers %i (%s) is tried again later', async (status) => {
    const [receiver, elsewhere] = [await receive(), await receive()];
    receiver.answer = () => status;
    receiver.headers = { location: elsewhere.url };
    const id = await endpointAt(world, receiver.url);
    await tell(world.database, 'ord_1', 1);
    const [delivery] = await eventually('an attempt', async () => {
      const all = await deliveriesOf(id);
      return all[0]?.['attempts'].length > 0 && all;
    });
    expect(delivery).toMatchObject({ status: 'pending', attempts: [{ attempt: 1, status, error: null }] });
    expect(Date.parse(delivery?.['nextAttemptAt'])).toBeGreaterThan(Date.parse(delivery?.['attempts'][0].at));
    expect((await world.send('GET', `/v1/webhook-endpoints/${id}`)).body).toMatchObject({
      status: 'enabled',
      failingSince: expect.any(String),
    });
    expect(elsewhere.received).toEqual([]);
  });

  it('that answers 410 is disabled at once; enabled again it goes on where it stood', async () => {
    const receiver = await receive();
    receiver.answer = () => 410;
    const id = await endpointAt(world, receiver.url);
    await tell(world.database, 'ord_1', 1);
    const disabled = await eventually('it to be disabled', async () => {
      const { body } = await world.send('GET', `/v1/webhook-endpoints/${id}`);
      return body['status'] === 'disabled' && body;
    });
    expect(disabled['disabledReason']).toBe('gone');
    await eventually('the line of the trail', () => acts.length > 0);
    expect(acts).toEqual([{ act: 'webhook-endpoint.disabled', accountId: publicId('acct', ACCOUNT_A), endpointId: id, reason: 'gone' }]);
    await tell(world.database, 'ord_1', 2);
    receiver.answer = () => 200;
    const enabled = await world.send('PATCH', `/v1/webhook-endpoints/${id}`, { body: { status: 'enabled' } });
    expect(enabled.body).toMatchObject({ status: 'enabled', disabledReason: null, failingSince: null });
    await untilAllSettled(world.database);
    expect(receiver.of('ord_1')).toEqual(['ord_1@1', 'ord_1@1', 'ord_1@2']);
  });

  it('is disabled after three days; its deliveries wait', async () => {
    const receiver = await receive();
    receiver.answer = () => 500;
    const id = await endpointAt(world, receiver.url);
    await tell(world.database, 'ord_1', 1);
    await eventually('a failure', () => receiver.received.length === 1);
    await eventually(
      'it to be settled',
      async () => (await countOf(world.database, 'webhook_endpoints', 'failing_since IS NOT NULL')) === 1,
    );
    await world.database.query(`UPDATE webhook_endpoints SET failing_since = now() - interval '3 days'`);
    await hurry(world.database);
    const disabled = await eventually('it to be disabled', async () => {
      const { body } = await world.send('GET', `/v1/webhook-endpoints/${id}`);
      return body['status'] === 'disabled' && body;
    });
    expect(disabled['disabledReason']).toBe('failing');
    await eventually('the line of the trail', () => acts.length > 0);
    expect(acts).toEqual([{ act: 'webhook-endpoint.disabled', accountId: publicId('acct', ACCOUNT_A), endpointId: id, reason: 'failing' }]);
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'pending' }]);
    // Enabled after ten days, its deliveries have four days again, also where the first attempt fails.
    await world.database.query(`UPDATE webhook_deliveries SET failing_since = now() - interval '13 days'`);
    const before = receiver.received.length;
    await world.send('PATCH', `/v1/webhook-endpoints/${id}`, { body: { status: 'enabled' } });
    await eventually(
      'another attempt',
      async () => receiver.received.length > before && (await deliveriesOf(id))[0]?.['attempts'].length > 2,
    );
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'pending' }]);
  });

  it('and has moved is judged by its new address: 410 of the old one disables nothing', async () => {
    const [old, fresh] = [await receive(), await receive()];
    old.answer = () => null;
    const id = await endpointAt(world, old.url);
    await tell(world.database, 'ord_1', 1);
    await eventually('the message to be under way', () => old.received.length === 1);
    const moved = await world.send('PATCH', `/v1/webhook-endpoints/${id}`, { body: { url: fresh.url } });
    expect(moved.body).toMatchObject({ url: fresh.url, status: 'enabled' });
    old.let(410);
    await untilAllSettled(world.database);
    expect([old.of('ord_1'), fresh.of('ord_1')]).toEqual([['ord_1@1'], ['ord_1@1']]);
    const { body } = await world.send('GET', `/v1/webhook-endpoints/${id}`);
    expect(body).toMatchObject({ status: 'enabled', disabledReason: null, failingSince: null });
  });
});

it('an event that is refused for four days is dead, the next version follows, and a redelivery sends it again', async () => {
  const receiver = await receive();
  receiver.answer = ({ resource }) => (resource === 'ord_1@1' ? 500 : 200);
  const id = await endpointAt(world, receiver.url);
  await tell(world.database, 'ord_1', 1);
  await tell(world.database, 'ord_1', 2);
  await eventually('a failure', async () => (await countOf(world.database, 'webhook_deliveries', 'failures = 1')) === 1);
  await world.database.query(`UPDATE webhook_deliveries SET failing_since = now() - interval '4 days' WHERE failures = 1`);
  await untilAllSettled(world.database);
  expect(receiver.of('ord_1')).toEqual(['ord_1@1', 'ord_1@1', 'ord_1@2']);
  const [, dead] = await deliveriesOf(id);
  expect(dead).toMatchObject({ status: 'dead', nextAttemptAt: null, completedAt: expect.any(String) });
  const listed = await world.send('GET', `/v1/webhook-endpoints/${id}/deliveries?status=dead`);
  expect(listed.body['data']).toEqual([dead]);
  receiver.answer = () => 200;
  const key = uuidv7();
  const again = await world.send('POST', `/v1/deliveries/${dead?.['id']}/redeliver`, { key });
  expect([again.status, again.body['status']]).toEqual([200, 'pending']);
  expect((await world.send('POST', `/v1/deliveries/${dead?.['id']}/redeliver`, { key })).text).toBe(again.text);
  await untilAllSettled(world.database);
  expect(receiver.of('ord_1')).toEqual(['ord_1@1', 'ord_1@1', 'ord_1@2', 'ord_1@1']);
  expect(receiver.received.at(-1)?.headers['webhook-id']).toBe(dead?.['eventId']);
  expect((await world.send('POST', `/v1/deliveries/${dead?.['id']}/redeliver`, { as: KEY_B })).status).toBe(404);
});

it('a delivery whose event is purged is given up', async () => {
  const receiver = await receive();
  receiver.answer = () => 500;
  const id = await endpointAt(world, receiver.url);
  await tell(world.database, 'ord_1', 1);
  await eventually('a failure', async () => (await countOf(world.database, 'webhook_deliveries', 'failures = 1')) === 1);
  await world.database.query('DELETE FROM events');
  await untilAllSettled(world.database);
  const [delivery] = await deliveriesOf(id);
  expect(delivery).toMatchObject({ status: 'dead', attempts: [{ status: 500 }, { error: 'event-purged' }] });
});
