import { Ajv2020 } from 'ajv/dist/2020.js';
import { Webhook } from 'standardwebhooks';
import { checkKey, newKey } from '../../client/src/key.js';
import { pauseAfter } from '../../client/src/retry/backoff.js';
import { retryAfterMs } from '../../client/src/retry/retry-after.js';
import { judge } from '../../client/src/verdict.js';
import { verifyWebhook, type WebhookVerificationError } from '../../client/src/webhooks.js';
import { PROBLEMS } from '../../src/http/problem-table.js';
import { parseKey } from '../../src/idempotency/requests/key.js';
import { StandardEvents } from '../../src/payments/provider/signed-event.js';
import { VECTOR_FILES, readSchema, readVectors } from './support/vectors.js';

describe.each(VECTOR_FILES)('the vectors of %s', (name) => {
  const file = readVectors(name);

  it('are as the schema that they name says', () => {
    expect(file.$schema).toBe(`./schemas/${name}.json`);
    const ajv = new Ajv2020({ allowUnionTypes: true, validateFormats: false });
    expect(ajv.validate(readSchema(name), file) || ajv.errorsText()).toBe(true);
  });

  it('have a name of their own each', () => {
    const names = file.cases.map((each) => each.name);
    expect(names.filter((each, index) => names.indexOf(each) !== index)).toEqual([]);
  });
});

describe('key syntax', () => {
  const { cases } = readVectors('key-syntax');

  it.each(cases)('the service takes $name for what it is', ({ header, key }) => {
    const parsed = (): string => parseKey(header);
    if (key === null) expect(parsed).toThrow(expect.objectContaining({ code: 'idempotency-key-invalid' }));
    else expect(parsed()).toBe(key);
  });

  // It sends keys bare, so that no other form is one of its keys.
  it.each(cases)('the client sends $name where it is a bare key', ({ header, key }) => {
    if (key === header) expect(checkKey(header)).toBe(key);
    else expect(() => checkKey(header)).toThrow(TypeError);
  });

  it('what the client makes is a key to the service, and no two are the same', () => {
    const keys = Array.from({ length: 1_000 }, newKey);
    expect(keys.map(parseKey)).toEqual(keys);
    expect(new Set(keys).size).toBe(1_000);
  });
});

describe('back-off', () => {
  it.each(readVectors('back-off').cases)('$name', ({ attempt, mostMs, ...bounds }) => {
    for (const r of [0, 0.25, 0.5, 0.999]) expect(pauseAfter(attempt, bounds, () => r)).toBeCloseTo(r * mostMs, 6);
  });

  it.each(readVectors('retry-after').cases)('Retry-After: $name', ({ value, now, ms }) => {
    expect(retryAfterMs(value, Date.parse(now)) ?? null).toBe(ms);
  });
});

describe('verdicts', () => {
  const { cases } = readVectors('verdicts');
  const problems = cases.filter(({ name }) => name.startsWith('the problem '));

  it.each(cases)('the client: $name', ({ status, headers, body, inDoubt, judgement }) => {
    expect(judge({ status, headers, body }, inDoubt)).toBe(judgement);
  });

  it('every problem of the service has a case, with its status and verdict', () => {
    const told = problems.map(({ status, body }) => ({ ...(body as { code: string; retry: string }), status }));
    const table = Object.entries(PROBLEMS).map(([code, { status, retry }]) => ({ status, code, retry }));
    expect(told.sort(byCode)).toEqual(table.sort(byCode));
  });
});

describe('signatures', () => {
  const { cases, body: common, toleranceSeconds } = readVectors('signatures');
  afterEach(() => jest.useRealTimers());

  it.each(cases)('the client: $name', async ({ secrets, headers, body = common, now, refusal }) => {
    const options = { toleranceSeconds, now: () => now * 1_000 };
    for (const received of [body, Buffer.from(body)]) {
      const told = await verifyWebhook(received, headers, secrets, options).catch((error: WebhookVerificationError) => error.refusal);
      expect(told).toEqual(refusal ?? JSON.parse(body));
    }
  });

  it.each(cases)('the library that signs here: $name', ({ secrets, headers, body = common, now, refusal }) => {
    jest.useFakeTimers({ now: now * 1_000 });
    expect(secrets.some((secret) => passes(() => new Webhook(secret).verify(body, headers)))).toBe(refusal === null);
  });

  it.each(cases)('the service as a receiver: $name', ({ secrets, headers, body = common, now, refusal }) => {
    jest.useFakeTimers({ now: now * 1_000 });
    // As Node's HTTP server has them.
    const received = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    expect(secrets.some((secret) => passes(() => new StandardEvents(secret).accept(received)(Buffer.from(body))))).toBe(refusal === null);
  });
});

const byCode = (one: { code: string }, other: { code: string }): number => one.code.localeCompare(other.code);

function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
