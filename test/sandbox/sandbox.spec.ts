import { hold, untilBlocked } from '../support/locks.js';
import { Harness, eventually, freshKey, noAnswer, order } from './harness.js';

const sandbox = new Harness();

describe('keys', () => {
  it('charges, answers with the charge, and has it in the ledger and under its reference', async () => {
    const key = freshKey();
    const { status, body } = await sandbox.charge(key);
    const id = expect.stringMatching(/^ch_/) as unknown;
    const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown;
    expect({ status, body }).toEqual({ status: 201, body: { id, status: 'succeeded', ...order(key), createdAt } });
    expect((await sandbox.get(`/charges?reference=ref-${key}`)).body).toEqual({ data: [body] });
    const { status: _succeeded, ...effect } = body;
    expect(await sandbox.chargesOf(key)).toEqual([{ ...effect, key }]);
    expect(await sandbox.requestsOf(key)).toEqual([{ method: 'POST', path: '/charges', key, reference: `ref-${key}`, at: createdAt }]);
  });

  it('gives a repeat the first answer, byte for byte, whatever the order of the members', async () => {
    const key = freshKey();
    const first = await sandbox.post('/charges', key, { ...order(key), metadata: { a: '1', b: '2' } });
    const { source, ...rest } = order(key);
    expect(await sandbox.post('/charges', key, { source, metadata: { b: '2', a: '1' }, ...rest })).toEqual(first);
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
  });

  it('refuses a key that comes with other parameters, or on the other route', async () => {
    const key = freshKey();
    await sandbox.charge(key);
    const reused = { status: 409, body: { error: { code: 'idempotency_key_reused' } } };
    expect(await sandbox.post('/charges', key, { ...order(key), amount: 1 })).toMatchObject(reused);
    expect(await sandbox.post('/refunds', key, { reference: 'r', chargeId: 'ch_1', amount: 1 })).toMatchObject(reused);
    expect(await sandbox.chargesOf(key)).toMatchObject([{ amount: 2500 }]);
  });

  it('charges once when many requests with one key race, and answers all of them alike', async () => {
    const key = freshKey();
    const held = await hold(sandbox.database, 'LOCK TABLE charges IN EXCLUSIVE MODE');
    const racing = Array.from({ length: 12 }, () => sandbox.charge(key));
    // All are inside their transactions before the first can write: a look before the write would find nothing twelve times.
    await untilBlocked(sandbox.database, 12);
    await held.release();
    const answers = (await Promise.all(racing)).map(({ status, text }) => `${status} ${text}`);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^201 /);
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
    expect(await sandbox.requestsOf(key)).toHaveLength(12);
  });
});

describe('sources', () => {
  it.each([
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', 'insufficient_funds'],
    ['tok_3ds', 'authentication_required'],
    ['tok_authentication_required', 'authentication_required'],
    ['tok_nobody_knows', 'invalid_token'],
    ['constructor', 'invalid_token'],
  ])('%s is declined with %s, the same for every repeat, and is no charge', async (source, declineCode) => {
    const key = freshKey();
    const first = await sandbox.charge(key, source);
    expect(first).toMatchObject({ status: 402, body: { id: null, status: 'declined', declineCode, reference: `ref-${key}` } });
    expect(await sandbox.charge(key, source)).toEqual(first);
    expect(await sandbox.chargesOf(key)).toEqual([]);
  });

  it('tok_slow takes effect at once, answers after 3 s the first time and at once on repeats', async () => {
    const key = freshKey();
    const begun = Date.now();
    const times = { first: 0 };
    const first = sandbox.charge(key, 'tok_slow').finally(() => (times.first = Date.now()));
    await eventually(async () => expect(await sandbox.chargesOf(key)).toHaveLength(1));
    const repeat = await sandbox.charge(key, 'tok_slow');
    expect(times.first).toBe(0);
    expect(await first).toEqual(repeat);
    expect(times.first - begun).toBeGreaterThanOrEqual(2_900);
  });

  it('tok_hang_after takes effect and never answers the first time', async () => {
    const key = freshKey();
    await noAnswer(sandbox.charge(key, 'tok_hang_after', 300));
    await eventually(async () => expect(await sandbox.chargesOf(key)).toHaveLength(1));
    expect(await sandbox.charge(key, 'tok_hang_after')).toMatchObject({ status: 201 });
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
  });

  it('tok_drop_after takes effect and cuts the connection the first time', async () => {
    const key = freshKey();
    await noAnswer(sandbox.charge(key, 'tok_drop_after'));
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
    expect(await sandbox.charge(key, 'tok_drop_after')).toMatchObject({ status: 201 });
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
  });

  it('tok_drop_before cuts the connection before any effect the first time, also across a restart', async () => {
    const [key, other] = [freshKey(), freshKey()];
    await noAnswer(sandbox.charge(key, 'tok_drop_before'));
    await noAnswer(sandbox.charge(other, 'tok_drop_before'));
    expect(await sandbox.chargesOf(key)).toEqual([]);
    expect(await sandbox.charge(key, 'tok_drop_before')).toMatchObject({ status: 201 });
    await sandbox.restart();
    expect(await sandbox.charge(other, 'tok_drop_before')).toMatchObject({ status: 201 });
  });

  it('tok_error_500 answers 500 twice per key, also across a restart, then succeeds', async () => {
    const key = freshKey();
    const failure = { status: 500, body: { error: { code: 'internal_error' } } };
    expect(await sandbox.charge(key, 'tok_error_500')).toMatchObject(failure);
    await sandbox.restart();
    expect(await sandbox.charge(key, 'tok_error_500')).toMatchObject(failure);
    expect(await sandbox.chargesOf(key)).toEqual([]);
    expect(await sandbox.charge(key, 'tok_error_500')).toMatchObject({ status: 201 });
  });

  it('tok_unavailable always answers 503 and has no effect', async () => {
    const key = freshKey();
    for (const _time of [1, 2, 3]) expect(await sandbox.charge(key, 'tok_unavailable')).toMatchObject({ status: 503 });
    expect(await sandbox.chargesOf(key)).toEqual([]);
    expect(await sandbox.charge(key)).toMatchObject({ status: 201 });
  });
});

describe('refunds', () => {
  it('refunds a charge, repeats the answer, and has it in the ledger and under its reference', async () => {
    const chargeId = (await sandbox.charge(freshKey())).body['id'];
    const key = freshKey();
    const first = await sandbox.refund(key, chargeId, 1000, { reason: 'cancelled', currency: 'EUR' });
    const { createdAt, ...body } = first.body;
    const id = expect.stringMatching(/^rf_/) as unknown;
    const reference = `ref-${key}`;
    expect({ status: first.status, body }).toEqual({
      status: 201,
      body: { id, status: 'succeeded', chargeId, reference, amount: 1000, currency: 'EUR' },
    });
    expect(await sandbox.refund(key, chargeId, 1000, { reason: 'cancelled', currency: 'EUR' })).toEqual(first);
    expect((await sandbox.get(`/refunds?reference=${reference}`)).body).toEqual({ data: [first.body] });
    const { status: _succeeded, ...effect } = body;
    expect((await sandbox.ledger()).refunds.filter((made) => made.key === key)).toEqual([{ ...effect, createdAt, key }]);
  });

  it('never refunds more than the charge, however many refunds race, and remembers the decline', async () => {
    const chargeId = (await sandbox.charge(freshKey())).body['id'];
    const keys = Array.from({ length: 8 }, freshKey);
    const answers = await Promise.all(keys.map((key) => sandbox.refund(key, chargeId, 1000)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    const declined = answers.findIndex(({ status }) => status === 402);
    const declineCode = 'refund_exceeds_charge';
    expect(answers[declined]?.body).toMatchObject({ id: null, status: 'declined', declineCode, chargeId, error: { code: declineCode } });
    expect(await sandbox.refund(keys[declined] ?? '', chargeId, 1000)).toEqual(answers[declined]);
    expect((await sandbox.ledger()).refunds.filter((made) => made.chargeId === chargeId)).toHaveLength(2);
  });

  it('declines every refund of a charge of tok_refund_declined, and remembers it', async () => {
    const charge = await sandbox.charge(freshKey(), 'tok_refund_declined');
    const [chargeId, key] = [charge.body['id'], freshKey()];
    const first = await sandbox.refund(key, chargeId, 1);
    const declineCode = 'refund_declined';
    expect(first).toMatchObject({
      status: 402,
      body: { id: null, status: 'declined', declineCode, chargeId, error: { code: declineCode } },
    });
    expect(await sandbox.refund(key, chargeId, 1)).toEqual(first);
    expect((await sandbox.ledger()).refunds.filter((made) => made.chargeId === chargeId)).toEqual([]);
  });

  it('answers 404 for an unknown charge and 400 for another currency, and remembers neither', async () => {
    const key = freshKey();
    expect(await sandbox.refund(key, 'ch_none', 1)).toMatchObject({ status: 404, body: { error: { code: 'charge_not_found' } } });
    const chargeId = (await sandbox.charge(freshKey())).body['id'];
    expect(await sandbox.refund(key, chargeId, 1, { currency: 'USD' })).toMatchObject({
      status: 400,
      body: { error: { code: 'currency_mismatch' } },
    });
    expect(await sandbox.refund(key, chargeId, 1)).toMatchObject({ status: 201 });
  });
});
