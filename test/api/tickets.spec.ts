import { ORDER, startWorld, type TestResponse } from '../support/app.js';
import { countOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const TICKET = { subject: 'Lamp is dark', description: 'It came without a bulb.', priority: 'normal' };
const open = (body: unknown = TICKET): Promise<TestResponse> => world.send('POST', '/v1/tickets', { body });
const get = (id: unknown, headers: Record<string, string> = {}): Promise<TestResponse> =>
  world.send('GET', `/v1/tickets/${String(id)}`, { headers });
const change = (id: unknown, ifMatch: string, body: unknown): Promise<TestResponse> =>
  world.send('PATCH', `/v1/tickets/${String(id)}`, { headers: { 'if-match': ifMatch }, body });

describe('POST /v1/tickets', () => {
  it('answers 201 with the whole ticket, Location and ETag', async () => {
    const opened = await open();
    expect(opened.status).toBe(201);
    expect(opened.headers.get('location')).toBe(`/v1/tickets/${String(opened.body['id'])}`);
    expect(opened.headers.get('etag')).toBe('"1"');
    expect(opened.body).toEqual({
      id: expect.stringMatching(/^tkt_[0-9a-hjkmnp-tv-z]{26}$/),
      ...TICKET,
      orderId: null,
      status: 'open',
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: opened.body['createdAt'],
    });
    expect((await get(opened.body['id'])).text).toBe(opened.text);
  });

  it('may be about an order of this account, and of no other', async () => {
    const { body: order } = await world.send('POST', '/v1/orders', { body: ORDER });
    expect((await open({ ...TICKET, orderId: order['id'] })).body['orderId']).toBe(order['id']);
    expect((await open({ ...TICKET, orderId: null })).body['orderId']).toBeNull();
    const before = await countOf(world.database, 'tickets');
    for (const orderId of ['ord_00000000000000000000000000', 'nonsense', ''])
      expectProblem(await open({ ...TICKET, orderId }), 'not-found');
    expect(await countOf(world.database, 'tickets')).toBe(before);
  });

  it('takes 255 characters of subject and 10 000 of description', async () => {
    const fitting = { ...TICKET, subject: 's'.repeat(255), description: 'd'.repeat(10_000) };
    expect((await open(fitting)).status).toBe(201);
    expectProblem(await open({ ...fitting, subject: 's'.repeat(256) }), 'invalid-request');
    expectProblem(await open({ ...fitting, description: 'd'.repeat(10_001) }), 'invalid-request');
  });

  it.each<[string, unknown]>([
    ['no subject', { description: 'd', priority: 'low' }],
    ['an empty subject', { ...TICKET, subject: '' }],
    ['no description', { subject: 's', priority: 'low' }],
    ['no priority', { subject: 's', description: 'd' }],
    ['an unknown priority', { ...TICKET, priority: 'urgent' }],
    ['a status', { ...TICKET, status: 'closed' }],
    ['a number for a text', { ...TICKET, subject: 1 }],
  ])('refuses %s', async (_name, body) => {
    expectProblem(await open(body), 'invalid-request');
  });
});

describe('PATCH /v1/tickets/{id}', () => {
  it('changes status and priority and counts the version', async () => {
    const { body } = await open();
    const pending = await change(body['id'], '"1"', { status: 'pending' });
    expect([pending.status, pending.headers.get('etag')]).toEqual([200, '"2"']);
    expect(pending.body).toMatchObject({ ...TICKET, status: 'pending', version: 2 });
    const closed = await change(body['id'], '"2"', { status: 'closed', priority: 'high' });
    expect(closed.body).toMatchObject({ status: 'closed', priority: 'high', version: 3 });
    expect((await get(body['id'])).text).toBe(closed.text);
  });

  it('needs If-Match, and the present version in it', async () => {
    const { body } = await open();
    expectProblem(await world.send('PATCH', `/v1/tickets/${String(body['id'])}`, { body: {} }), 'precondition-required');
    expectProblem(await change(body['id'], '"2"', { status: 'closed' }), 'precondition-failed');
    expect((await get(body['id'])).body).toMatchObject({ status: 'open', version: 1 });
  });

  it('of ten changes to one version at once one wins', async () => {
    const { body } = await open();
    const answers = await Promise.all(Array.from({ length: 10 }, () => change(body['id'], '"1"', { status: 'closed' })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 412)]);
    expect((await get(body['id'])).body['version']).toBe(2);
  });

  it.each([{ subject: 'x' }, { status: 'deleted' }, { priority: null }, { status: null }, { orderId: null }])(
    'refuses %j',
    async (update) => {
      const { body } = await open();
      expectProblem(await change(body['id'], '"1"', update), 'invalid-request');
    },
  );

  it('answers 404 for what is not there', async () => {
    for (const id of ['tkt_00000000000000000000000000', 'ord_00000000000000000000000000', 'x']) {
      expectProblem(await change(id, '"1"', {}), 'not-found');
      expectProblem(await get(id), 'not-found');
    }
  });
});

it('GET /v1/tickets/{id} answers 304 to who has this version', async () => {
  const { body } = await open();
  const unchanged = await get(body['id'], { 'if-none-match': '"1"' });
  expect([unchanged.status, unchanged.text, unchanged.headers.get('etag')]).toEqual([304, '', '"1"']);
});
