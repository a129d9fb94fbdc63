import { Webhook } from 'standardwebhooks';
import { v7 as uuidv7 } from 'uuid';
import { KEY_B, atOnce, startWorld, tally, type World } from '../support/app.js';
import { addApiKey } from '../support/api-keys.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { Receiver, endpointAt, tell, untilAllSettled } from './receiver.js';

let world: World;
let receiver: Receiver;
beforeAll(async () => {
  [world, receiver] = await Promise.all([startWorld(), Receiver.start()]);
});
afterEach(async () => {
  receiver.received.length = 0;
  receiver.answer = () => 204;
  await world.database.query('DELETE FROM webhook_endpoints; DELETE FROM webhook_deliveries; DELETE FROM events');
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

const path = (id: string, rest = ''): string => `/v1/webhook-endpoints/${id}${rest}`;
const URL_OUTSIDE = 'https://shop.example.com/hooks';

it('is made once for each key, shown, changed and deleted', async () => {
  const key = uuidv7();
  const body = { url: URL_OUTSIDE, types: ['order.paid', 'order.paid'], description: 'The warehouse' };
  const made = await world.send('POST', '/v1/webhook-endpoints', { key, body });
  expect(made.status).toBe(201);
  const id = String(made.body['id']);
  expect(made.headers.get('location')).toBe(path(id));
  expect(made.body).toEqual({
    id: expect.stringMatching(/^we_[0-7][0-9a-hjkmnp-tv-z]{25}$/),
    url: URL_OUTSIDE,
    types: ['order.paid'],
    description: 'The warehouse',
    status: 'enabled',
    disabledReason: null,
    failingSince: null,
    previousSecretValidUntil: null,
    createdAt: expect.any(String),
    updatedAt: made.body['createdAt'],
  });
  expect((await world.send('POST', '/v1/webhook-endpoints', { key, body })).text).toBe(made.text);
  expect(await countOf(world.database, 'webhook_endpoints')).toBe(1);
  expect((await world.send('GET', path(id))).text).toBe(made.text);
  expect((await world.send('GET', '/v1/webhook-endpoints')).body).toEqual({ data: [made.body], nextCursor: null });
  const changed = await world.send('PATCH', path(id), { body: { types: ['*'], description: null, status: 'disabled' } });
  expect(changed.body).toMatchObject({ url: URL_OUTSIDE, types: ['*'], description: null, status: 'disabled', disabledReason: null });
  expect((await world.send('DELETE', path(id))).status).toBe(204);
  expect([(await world.send('DELETE', path(id))).status, (await world.send('GET', path(id))).status]).toEqual([404, 404]);
});

it.each([
  [{ url: 'http://shop.example.com/', types: ['*'] }, '/url'],
  [{ url: 'https://10.0.0.1/', types: ['*'] }, '/url'],
  [{ url: 'https://u:p@shop.example.com/', types: ['*'] }, '/url'],
  [{ url: `https://shop.example.com/${'x'.repeat(2048)}`, types: ['*'] }, '/url'],
  [{ url: URL_OUTSIDE, types: ['order.eaten'] }, '/types'],
  [{ url: URL_OUTSIDE, types: [] }, '/types'],
  [{ url: URL_OUTSIDE, types: '*' }, '/types'],
  [{ url: URL_OUTSIDE }, '/types'],
])('%j is refused, and stores nothing', async (body, pointer) => {
  const key = uuidv7();
  const refused = await world.send('POST', '/v1/webhook-endpoints', { key, body });
  expect([refused.status, refused.body['errors']?.[0].pointer]).toEqual([400, pointer]);
  expect([await recordsOf(world.database, key), await countOf(world.database, 'webhook_endpoints')]).toEqual([[], 0]);
});

it('an account has 16 of them at most, however many are made at once', async () => {
  const answers = await atOnce(24, () => world.send('POST', '/v1/webhook-endpoints', { body: { url: URL_OUTSIDE, types: ['*'] } }));
  expect(tally(answers)).toEqual({ 201: 16, 409: 8 });
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'webhook-endpoint-limit', retry: 'new-key' });
  expect(await countOf(world.database, 'webhook_endpoints')).toBe(16);
  await endpointAt(world, URL_OUTSIDE, { as: KEY_B });
});

it('is nobody else’s', async () => {
  const id = await endpointAt(world, receiver.url);
  const { body: delivery } = await world.send('POST', path(id, '/test'));
  const answers = await Promise.all([
    world.send('GET', path(id), { as: KEY_B }),
    world.send('GET', path(id, '/secret'), { as: KEY_B }),
    world.send('GET', path(id, '/deliveries'), { as: KEY_B }),
    world.send('PATCH', path(id), { as: KEY_B, body: { status: 'disabled' } }),
    world.send('POST', path(id, '/rotate-secret'), { as: KEY_B }),
    world.send('POST', path(id, '/test'), { as: KEY_B }),
    world.send('POST', `/v1/deliveries/${delivery['id']}/redeliver`, { as: KEY_B }),
    world.send('DELETE', path(id), { as: KEY_B }),
  ]);
  expect(tally(answers)).toEqual({ 404: 8 });
  expect((await world.send('GET', path(id))).body['status']).toBe('enabled');
});

it('reading needs webhooks:read, and changes and the secret webhooks:write', async () => {
  const id = await endpointAt(world, receiver.url);
  const [reader, other] = [await addApiKey(world.database, ['webhooks:read']), await addApiKey(world.database, ['orders:write'])];
  const statuses = async (as: string): Promise<number[]> =>
    Promise.all(
      [
        world.send('GET', path(id), { as }),
        world.send('GET', '/v1/webhook-endpoints', { as }),
        world.send('GET', path(id, '/deliveries'), { as }),
        world.send('GET', path(id, '/secret'), { as }),
        world.send('POST', '/v1/webhook-endpoints', { as, body: { url: URL_OUTSIDE, types: ['*'] } }),
        world.send('PATCH', path(id), { as, body: {} }),
        world.send('POST', path(id, '/rotate-secret'), { as }),
        world.send('POST', path(id, '/test'), { as }),
        world.send('DELETE', path(id), { as }),
      ].map(async (answer) => (await answer).status),
    );
  expect(await statuses(reader)).toEqual([200, 200, 200, 403, 403, 403, 403, 403, 403]);
  expect(await statuses(other)).toEqual(Array(9).fill(403));
});

it('while a rotation is fresh both secrets sign, a second one is refused, and no stored answer has a secret', async () => {
  const id = await endpointAt(world, receiver.url);
  const before = (await world.send('GET', path(id, '/secret'))).body;
  expect(before).toEqual({ secret: expect.stringMatching(/^whsec_.{43}=$/), previousSecret: null, previousSecretValidUntil: null });
  const key = uuidv7();
  const rotated = await world.send('POST', path(id, '/rotate-secret'), { key });
  expect(rotated.status).toBe(200);
  expect((await world.send('POST', path(id, '/rotate-secret'), { key })).text).toBe(rotated.text);
  const after = (await world.send('GET', path(id, '/secret'))).body;
  expect(after).toMatchObject({ previousSecret: before['secret'], previousSecretValidUntil: rotated.body['previousSecretValidUntil'] });
  expect(after['secret']).not.toBe(before['secret']);
  const again = await world.send('POST', path(id, '/rotate-secret'));
  expect([again.status, again.body['code']]).toEqual([409, 'secret-rotated-recently']);
  expect((await world.send('GET', path(id, '/secret'))).body).toEqual(after);

  await tell(world.database, 'ord_1', 1);
  await untilAllSettled(world.database);
  const [both] = receiver.received;
  const verify = (secret: string, message = both): unknown =>
    new Webhook(secret).verify(message?.body ?? '', message?.headers as Record<string, string>);
  expect(verify(after['secret'])).toEqual(verify(before['secret']));

  await world.database.query(`UPDATE webhook_endpoints SET previous_valid_until = now() - interval '1 second'`);
  await tell(world.database, 'ord_1', 2);
  await untilAllSettled(world.database);
  const one = receiver.received.at(-1);
  expect(verify(after['secret'], one)).toMatchObject({ resource: { version: 2 } });
  expect(() => verify(before['secret'], one)).toThrow('No matching signature');
  expect((await world.send('POST', path(id, '/rotate-secret'))).status).toBe(200);

  const [stored] = await world.database.query<{ text: string }>(
    `SELECT string_agg(convert_from(response_body, 'UTF8') || response_headers::text, ' ') AS text FROM idempotency_records`,
  );
  expect(stored?.text).not.toContain('whsec_');
});

it('a test is sent whatever types are wanted, and is among the deliveries', async () => {
  const id = await endpointAt(world, receiver.url, { types: ['ticket.created'] });
  const test = await world.send('POST', path(id, '/test'));
  expect([test.status, test.body]).toEqual([
    201,
    expect.objectContaining({ eventType: 'endpoint.test', status: 'pending', endpointId: id }),
  ]);
  await untilAllSettled(world.database);
  expect(receiver.received).toHaveLength(1);
  const told = JSON.parse(receiver.received[0]?.body ?? '') as Record<string, unknown>;
  expect(told).toMatchObject({ id: test.body['eventId'], type: 'endpoint.test', resource: { type: 'webhook_endpoint', id, version: 1 } });
  const { body } = await world.send('GET', path(id, '/deliveries'));
  expect(body['data']).toEqual([expect.objectContaining({ id: test.body['id'], status: 'delivered' })]);
  expect(await countOf(world.database, 'events')).toBe(0);
});

it('deliveries come in pages, newest first', async () => {
  const id = await endpointAt(world, receiver.url);
  const events = [];
  for (let version = 1; version <= 5; version++) events.push(await tell(world.database, 'ord_1', version));
  await untilAllSettled(world.database);
  const first = await world.send('GET', path(id, '/deliveries?limit=3'));
  const second = await world.send('GET', path(id, `/deliveries?limit=3&cursor=${first.body['nextCursor']}`));
  const shown = [...first.body['data'], ...second.body['data']].map(({ eventId }: { eventId: string }) => eventId);
  expect([shown, second.body['nextCursor']]).toEqual([events.toReversed(), null]);
});

it('a deleted endpoint is sent nothing more, and nothing of it is pending', async () => {
  receiver.answer = () => 500;
  const id = await endpointAt(world, receiver.url);
  await tell(world.database, 'ord_1', 1);
  await tell(world.database, 'ord_2', 1);
  await eventually('both to have failed', async () => (await countOf(world.database, 'webhook_deliveries', 'failures = 1')) === 2);
  expect((await world.send('DELETE', path(id))).status).toBe(204);
  expect(await countOf(world.database, 'webhook_deliveries', `status = 'pending'`)).toBe(0);
});

it('a disabled endpoint is sent nothing, and all of it once it is enabled', async () => {
  const [off, on] = [await endpointAt(world, receiver.url), await endpointAt(world, receiver.url, { types: ['order.created'] })];
  await world.send('PATCH', path(off), { body: { status: 'disabled' } });
  await tell(world.database, 'ord_1', 1);
  await world.send('POST', path(on, '/test'));
  await eventually('the other one to be sent to', () => receiver.received.length > 0);
  expect(receiver.of('ord_1')).toEqual([]);
  await world.send('PATCH', path(off), { body: { status: 'enabled' } });
  await untilAllSettled(world.database);
  expect(receiver.of('ord_1')).toEqual(['ord_1@1']);
});
