import { Harness, eventually, freshKey, noAnswer } from './harness.js';

const sandbox = new Harness();

describe('faults', () => {
  const none = { refuse: 0, dropBefore: 0, dropAfter: 0, hangAfter: 0, error500: 0, latencyMs: 0 };

  it('shows what is in force, missing ones as 0, and refuses nonsense without changing anything', async () => {
    expect(await sandbox.faults({ dropAfter: 0.25, seed: 9 })).toMatchObject({ status: 200, body: { ...none, dropAfter: 0.25 } });
    for (const wrong of [
      { dropAfter: 1.1 },
      { refuse: -1 },
      { refuse: '1' },
      { latencyMs: 600_001 },
      { typo: 1 },
      { seed: 1.5 },
      [],
      '7',
      'null',
      '{',
    ]) {
      expect(await sandbox.faults(wrong)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    }
    expect((await sandbox.get('/faults')).body).toEqual({ ...none, dropAfter: 0.25 });
  });

  it.each([
    ['refuse', 0],
    ['dropBefore', 0],
    ['dropAfter', 1],
    ['hangAfter', 1],
  ])('%s leaves the request without an answer and with %i effects, lists it, and spares the repeat', async (fault, effects) => {
    const key = freshKey();
    await sandbox.faults({ [fault]: 1 });
    await noAnswer(sandbox.charge(key, 'tok_visa', 300));
    const reference = fault === 'refuse' ? null : `ref-${key}`;
    await eventually(async () => expect(await sandbox.requestsOf(key)).toMatchObject([{ path: '/charges', reference }]));
    await eventually(async () => expect(await sandbox.chargesOf(key)).toHaveLength(effects));
    await sandbox.faults({});
    expect(await sandbox.charge(key)).toMatchObject({ status: 201 });
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
  });

  it('error500 answers 500 without an effect and is not remembered', async () => {
    const key = freshKey();
    await sandbox.faults({ error500: 1 });
    expect(await sandbox.charge(key)).toMatchObject({ status: 500 });
    await sandbox.faults({});
    expect(await sandbox.charge(key)).toMatchObject({ status: 201 });
  });

  it('latencyMs delays answers, not effects; a GET meets latency and refuse only', async () => {
    await sandbox.faults({ latencyMs: 250, dropBefore: 1, dropAfter: 1, hangAfter: 1, error500: 1 });
    const begun = Date.now();
    expect(await sandbox.get('/charges?reference=none')).toMatchObject({ status: 200, body: { data: [] } });
    expect(Date.now() - begun).toBeGreaterThanOrEqual(240);
    await sandbox.faults({ refuse: 1 });
    await noAnswer(sandbox.get('/refunds?reference=none'));
    await sandbox.faults({ latencyMs: 600_000 });
    const key = freshKey();
    await noAnswer(sandbox.charge(key, 'tok_visa', 300));
    await eventually(async () => expect(await sandbox.chargesOf(key)).toHaveLength(1));
  });

  it('meets the same requests with the same faults when the seed is the same', async () => {
    const run = async (seed: number) => {
      await sandbox.faults({ dropBefore: 0.3, dropAfter: 0.3, error500: 0.3, seed });
      const fates: string[] = [];
      for (let index = 0; index < 16; index++)
        fates.push(
          await sandbox.charge(freshKey()).then(
            ({ status }) => String(status),
            () => 'cut',
          ),
        );
      return fates.join(' ');
    };
    const first = await run(42);
    expect(await run(42)).toBe(first);
    expect(await run(43)).not.toBe(first);
  });
});

describe('nonsense', () => {
  const good = { reference: 'r', amount: 1, currency: 'EUR', source: 'tok_visa' };

  it.each<[string, unknown]>([
    ['no body', undefined],
    ['broken JSON', '{"reference":'],
    ['null', 'null'],
    ['an array', []],
    ['an empty object', {}],
    ['an unknown member', { ...good, extra: 1 }],
    ['amount 0', { ...good, amount: 0 }],
    ['a fraction', { ...good, amount: 1.5 }],
    ['amount 1e12', { ...good, amount: 1e12 }],
    ['an amount in a string', { ...good, amount: '1' }],
    ['a small currency', { ...good, currency: 'eur' }],
    ['an empty reference', { ...good, reference: '' }],
    ['a reference of 256', { ...good, reference: 'r'.repeat(256) }],
    ['NUL', { ...good, reference: 'a\0b' }],
    ['half a surrogate pair', String.raw`{"reference":"\ud800","amount":1,"currency":"EUR","source":"tok_visa"}`],
    ['__proto__', '{"reference":"r","amount":1,"currency":"EUR","source":"tok_visa","metadata":{"__proto__":{"a":1}}}'],
    ['metadata that is no map of strings', { ...good, metadata: { a: { b: 1 } } }],
  ])('answers 400 to %s', async (_what, body) => {
    const key = freshKey();
    const answer = await sandbox.post('/charges', key, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request', message: expect.any(String) as unknown } } });
    expect(await sandbox.requestsOf(key)).toHaveLength(1);
  });

  it.each<[string, Record<string, string>, string]>([
    ['missing', {}, 'idempotency_key_missing'],
    ['empty', { 'idempotency-key': '' }, 'idempotency_key_invalid'],
    ['too long', { 'idempotency-key': 'k'.repeat(256) }, 'idempotency_key_invalid'],
    ['with a space', { 'idempotency-key': 'a b' }, 'idempotency_key_invalid'],
    ['not ASCII', { 'idempotency-key': 'schl\u00fcssel' }, 'idempotency_key_invalid'],
  ])('answers 400 to a key that is %s', async (_what, headers, code) => {
    expect(await sandbox.send('POST', '/charges', good, headers)).toMatchObject({ status: 400, body: { error: { code } } });
  });

  it('answers 413 to more than 64 KiB, 415 to what is no JSON, 404 to unknown routes, and lists the POSTs', async () => {
    const [large, form] = [freshKey(), freshKey()];
    expect(await sandbox.post('/charges', large, { ...good, source: 'x'.repeat(65_536) })).toMatchObject({ status: 413 });
    expect(await sandbox.send('POST', '/refunds', 'a=1', { 'idempotency-key': form, 'content-type': 'text/csv' })).toMatchObject({
      status: 415,
    });
    expect(await sandbox.get('/nowhere')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(await sandbox.get('/charges')).toMatchObject({ status: 400 });
    expect(await sandbox.get('/charges?reference=a%00b')).toMatchObject({ status: 400 });
    expect(await sandbox.requestsOf(large)).toMatchObject([{ path: '/charges', reference: null }]);
    expect(await sandbox.requestsOf(form)).toMatchObject([{ path: '/refunds', reference: null }]);
  });
});
