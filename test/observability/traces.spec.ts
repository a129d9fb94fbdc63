import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { buildSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { ProviderGate } from '../crash/support/provider-gate.js';
import { temporaryDirectory } from '../local/checkout.js';
import { KEY_A, ORDER, type TestRequest, type TestResponse } from '../support/app.js';
import { createDatabase, createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { addProduct } from '../support/ledger.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { Series } from '../support/series.js';
import { Receiver, endpointAt } from '../webhooks/receiver.js';
import { Collector, type CollectedSpan } from './collector.js';

/** Kinds of spans in OTLP. */
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
/** What must reach no collector. */
const SECRETS = { header: 'secret-of-the-collector', text: 'canary-in-a-body', query: 'canary-in-a-query', path: 'canary-in-a-path' };
const TIMES = { PROVIDER_TIMEOUT: '1500ms', IDEMPOTENCY_LEASE: '2s', IDEMPOTENCY_RECOVERY_INTERVAL: '100ms' };

let database: TestDatabase;
let sandboxDatabase: TestDatabase;
let sandbox: Sandbox;
let gate: ProviderGate;
let collector: Collector;
let env: Record<string, string>;
/** Two replicas that trace. */
let first: ApiProcess;
let second: ApiProcess;
const started: ApiProcess[] = [];
/** What requests sent and no span may hold. */
const values: string[] = ['tok_visa'];

async function start(more: Record<string, string> = {}): Promise<ApiProcess> {
  const api = await startProcess(database.url, { ...env, ...more });
  started.push(api);
  return api;
}

beforeAll(async () => {
  [database, sandboxDatabase, collector] = await Promise.all([createMigratedDatabase(), createDatabase(), Collector.start()]);
  sandbox = await buildSandbox({ databaseUrl: sandboxDatabase.url });
  gate = await ProviderGate.start(await sandbox.listen(0, '127.0.0.1'));
  env = {
    ...TIMES,
    ...collector.env,
    PROVIDER_URL: gate.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-token=${SECRETS.header}%2C1`,
    OTEL_SERVICE_NAME: 'shop',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
  };
  [first, second] = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all(started.map((api) => api.kill('SIGKILL')));
  await gate.close();
  await sandbox.close();
  await collector.close();
  await Promise.all([database.drop(), sandboxDatabase.drop()]);
});

/** A client's span. */
const clientSpan = (flags = '01') => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}` } };
};
const freshKey = (): string => {
  const key = uuidv7();
  values.push(key);
  return key;
};
/** Places an order inside a client's span. */
const place = (on: ApiProcess, key: string, client = clientSpan()): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, headers: client.headers, body: { ...ORDER, metadata: { note: SECRETS.text } } });
const serverSpan = (traceId: string): Promise<CollectedSpan> =>
  collector.until(`the request of ${traceId}`, (span) => span.traceId === traceId && span.kind === SERVER);
const idsOf = ({ traceId, spanId }: CollectedSpan) => ({ traceId, spanId });
const traceparentOf = ({ traceId, spanId }: CollectedSpan): string => `00-${traceId}-${spanId}-01`;
const linksOf = (span: CollectedSpan) => span.links.map(({ traceId, spanId }) => ({ traceId, spanId }));
/** Of the core: a look at the API key, once in a few seconds, is not of interest. */
const coreStatements = (traceId: string): string[] =>
  collector
    .of(traceId)
    .filter((span) => isStatement(span) && span.name.includes('idempotency-'))
    .map(({ name }) => name);
const isStatement = (span: CollectedSpan): boolean => span.attributes['db.system.name'] === 'postgresql';

/** A payment that is to be made, of an amount of its own. */
async function paymentOf(amount: number): Promise<{ orderId: string; amount: number; currency: string; source: string }> {
  const productId = await addProduct(database, { unitPrice: amount });
  values.push(productId);
  const placed = await first.send('POST', '/v1/orders', { key: freshKey(), body: { items: [{ productId, quantity: 1 }] } });
  return { orderId: String(placed.body['id']), amount, currency: 'EUR', source: 'tok_visa' };
}

describe('a request', () => {
  it('is a span inside of its client’s, with what became of it, and its statements inside of it', async () => {
    const [client, key] = [clientSpan(), freshKey()];
    const { headers } = await place(first, key, client);
    const span = await serverSpan(client.traceId);
    expect(span).toMatchObject({
      parentSpanId: client.spanId,
      name: 'POST /v1/orders',
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/orders',
        'http.response.status_code': 201,
        'holdfast.outcome': 'executed',
        'holdfast.operation.id': headers.get('operation-id'),
        'holdfast.request.id': headers.get('x-request-id'),
        'holdfast.key.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      },
      links: [],
    });
    const statements = collector.of(client.traceId).filter(isStatement);
    expect(statements.map(({ kind, parentSpanId }) => [kind, parentSpanId])).toEqual(statements.map(() => [CLIENT, span.spanId]));
    expect(statements.map(({ name }) => name).join()).toMatch(/orders-insert.*idempotency-insert-completed; COMMIT/);
    const hash = span.attributes['holdfast.key.hash'];
    const ofTheKey = statements.filter(({ name }) => name.includes('idempotency-'));
    expect(ofTheKey.map(({ attributes }) => attributes['holdfast.key.hash'])).toEqual(ofTheKey.map(() => hash));
  });

  it('has the outcome that its metric and its line in the log have, also where it stored nothing', async () => {
    const limited = await start({ RATE_LIMIT: '6/1h', LOG_LEVEL: 'info' });
    const [key, sealed] = [freshKey(), freshKey()];
    const seal = { key: null, body: { idempotencyKey: sealed } };
    const sent: TestRequest[] = [
      { key, body: ORDER },
      { key, body: ORDER },
      { key: freshKey(), body: { items: [] } },
      { key: null, body: ORDER },
      { key: sealed, body: ORDER },
      { key: freshKey(), body: ORDER },
    ];
    expect((await limited.send('POST', '/v1/operations/seal', seal)).status).toBe(200);
    const traces: string[] = [];
    for (const request of sent) {
      const client = clientSpan();
      traces.push(client.traceId);
      await limited.send('POST', '/v1/orders', { ...request, headers: client.headers });
    }
    const spans = await Promise.all(traces.map(serverSpan));
    const outcomes = spans.map(({ attributes }) => String(attributes['holdfast.outcome']));
    expect(outcomes).toEqual(['executed', 'replayed', 'rejected', 'missing', 'sealed', 'rate-limited']);
    const metrics = await Series.of(limited);
    expect(outcomes.map((outcome) => metrics.sum('idempotency_requests_total', { operation: 'POST /v1/orders', outcome }))).toEqual(
      outcomes.map(() => 1),
    );
    const lines = await eventually('a line of each', () => {
      const logged = limited.log().filter((line) => line.includes('/v1/orders'));
      return logged.length === sent.length && logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    });
    expect(lines.map(({ outcome }) => outcome)).toEqual(outcomes);
  });

  it('without a client’s span, or with one that is none, begins a trace', async () => {
    for (const traceparent of ['', 'nonsense', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`]) {
      const { headers } = await first.send('POST', '/v1/orders', { key: freshKey(), headers: { traceparent }, body: ORDER });
      const id = headers.get('operation-id');
      const span = await collector.until(
        'its span',
        ({ kind, attributes }) => kind === SERVER && attributes['holdfast.operation.id'] === id,
      );
      expect(span.parentSpanId ?? '').toBe('');
    }
  });

  it('that only reads has the statements of TypeORM inside of it', async () => {
    const client = clientSpan();
    await first.send('GET', `/v1/orders?limit=1`, { headers: client.headers });
    const { spanId } = await serverSpan(client.traceId);
    const statements = collector.of(client.traceId).filter(isStatement);
    expect(statements).not.toEqual([]);
    expect(statements.filter((statement) => statement.parentSpanId === spanId).map(({ name }) => name)).toContain('SELECT');
  });

  it('that is refused says so', async () => {
    const [client, key] = [clientSpan(), freshKey()];
    await place(first, key);
    const answer = await first.send('POST', '/v1/orders', { key, headers: client.headers, body: { items: [] } });
    expect(answer.status).toBe(422);
    expect((await serverSpan(client.traceId)).attributes).toMatchObject({
      'holdfast.outcome': 'mismatch',
      'http.response.status_code': 422,
    });
  });

  it('whose client does not record is not recorded, and its record keeps that', async () => {
    const [client, key] = [clientSpan('00'), freshKey()];
    await place(first, key, client);
    const marker = clientSpan();
    await place(first, freshKey(), marker);
    await serverSpan(marker.traceId);
    expect(collector.of(client.traceId)).toEqual([]);
    const [record] = await database.query<{ traceparent: string }>('SELECT traceparent FROM idempotency_records WHERE key = $1', [key]);
    expect(record?.traceparent).toMatch(new RegExp(`^00-${client.traceId}-[0-9a-f]{16}-00$`));
  });
});

describe('a replay', () => {
  it.each([
    ['from the memory of the process that executed', () => first, 0],
    ['that another replica reads', () => second, 1],
  ])('%s is linked to the span of the original', async (_, replica, reads) => {
    const [original, key] = [clientSpan(), freshKey()];
    await place(first, key, original);
    const executed = await serverSpan(original.traceId);
    const retry = clientSpan();
    const answer = await place(replica(), key, retry);
    expect(answer.headers.get('idempotent-replayed')).toBe('true');
    const span = await serverSpan(retry.traceId);
    expect(span).toMatchObject({
      parentSpanId: retry.spanId,
      attributes: {
        'holdfast.outcome': 'replayed',
        'holdfast.operation.id': executed.attributes['holdfast.operation.id'],
        'holdfast.key.hash': executed.attributes['holdfast.key.hash'],
      },
    });
    expect(linksOf(span)).toEqual([idsOf(executed)]);
    expect(coreStatements(retry.traceId)).toEqual(Array(reads).fill(expect.stringContaining('idempotency-find')));
    // From now on it is in the memory of both.
    const again = clientSpan();
    await place(replica(), key, again);
    expect(linksOf(await serverSpan(again.traceId))).toEqual([idsOf(executed)]);
    expect(coreStatements(again.traceId)).toEqual([]);
  });

  it('inside the same client’s span is linked as well', async () => {
    const [client, key] = [clientSpan(), freshKey()];
    for (const replica of [first, second]) await place(replica, key, client);
    await eventually('both requests', () => collector.of(client.traceId).filter(({ kind }) => kind === SERVER).length === 2);
    const [replayed, executed] = ['replayed', 'executed'].map((outcome) =>
      collector.of(client.traceId).find(({ attributes, kind }) => kind === SERVER && attributes['holdfast.outcome'] === outcome),
    ) as [CollectedSpan, CollectedSpan];
    expect([linksOf(replayed), linksOf(executed)]).toEqual([[idsOf(executed)], []]);
  });
});

describe('a payment', () => {
  it('has its step, and the provider’s call and statements inside of that; provider and webhooks are told of the trace', async () => {
    const receiver = await Receiver.start();
    try {
      await endpointAt(first, receiver.url, { types: ['payment.succeeded'] });
      const [body, client, key] = [await paymentOf(4_101), clientSpan(), freshKey()];
      const answer = await first.send('POST', '/v1/payments', { key, headers: client.headers, body });
      expect(answer.status).toBe(201);
      const request = await serverSpan(client.traceId);
      const [step, call] = await Promise.all([
        collector.until('the step', ({ name, traceId }) => name === 'step payments.charge' && traceId === client.traceId),
        collector.until('the call', ({ name, traceId }) => name === 'provider charge' && traceId === client.traceId),
      ]);
      const about = {
        'holdfast.operation.id': answer.headers.get('operation-id'),
        'holdfast.key.hash': request.attributes['holdfast.key.hash'],
      };
      expect(step).toMatchObject({
        parentSpanId: request.spanId,
        kind: INTERNAL,
        attributes: { ...about, 'holdfast.attempt': 1, 'holdfast.outcome': 'completed' },
        links: [],
      });
      expect(call).toMatchObject({
        parentSpanId: step.spanId,
        kind: CLIENT,
        attributes: { ...about, 'holdfast.outcome': 'succeeded' },
      });
      const inside = collector.of(client.traceId).filter((span) => isStatement(span) && span.parentSpanId === step.spanId);
      expect(inside.map(({ name }) => name).join()).toContain('idempotency-complete');
      expect(gate.requests.filter(({ headers }) => headers['traceparent'] === traceparentOf(call))).toHaveLength(1);
      const [message] = await eventually('the webhook', () => receiver.received.length > 0 && receiver.received);
      expect(message?.headers['traceparent']).toBe(traceparentOf(request));
      const delivery = await collector.until(
        'the delivery',
        ({ attributes }) => attributes['holdfast.event.id'] === message?.headers['webhook-id'],
      );
      expect(delivery).toMatchObject({ kind: CLIENT, attributes: { 'holdfast.outcome': 'delivered', 'http.response.status_code': 204 } });
      expect(delivery.traceId).not.toBe(client.traceId);
      expect([delivery.parentSpanId ?? '', linksOf(delivery)]).toEqual(['', [idsOf(request)]]);
    } finally {
      await receiver.close();
    }
  });

  it('that is recovered after a crash goes on in a trace of its own, linked to the original', async () => {
    const [dying, body, client, key] = [await start(), await paymentOf(4_102), clientSpan(), freshKey()];
    const held = gate.hold(4_102, 'after');
    const lost = dying.send('POST', '/v1/payments', { key, headers: client.headers, body }).catch(() => null);
    const charge = await held;
    await dying.kill('SIGKILL');
    charge.cut();
    await lost;
    const step = await collector.until(
      'the recovered step',
      ({ attributes, name, traceId }) =>
        name === 'step payments.charge' && attributes['holdfast.attempt'] === 2 && traceId !== client.traceId,
    );
    const [record] = await database.query<{ traceparent: string }>('SELECT traceparent FROM idempotency_records WHERE key = $1', [key]);
    expect(step.links.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)).toEqual([record?.traceparent]);
    expect([step.parentSpanId ?? '', step.links[0]?.traceId]).toEqual(['', client.traceId]);
    const call = await collector.until('its call', ({ name, parentSpanId }) => name.startsWith('provider') && parentSpanId === step.spanId);
    expect(call.traceId).toBe(step.traceId);
    const answer = await first.send('POST', '/v1/payments', { key, body });
    expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
  });
});

describe('what a collector is sent', () => {
  it('names the service, and holds no key, no value and no secret', async () => {
    const [client, key] = [clientSpan(), freshKey()];
    const quoted = `"${key}"`;
    await place(first, quoted, client);
    await first.send('GET', `/v1/operations?key=${SECRETS.query}`);
    await first.send('GET', `/v1/${SECRETS.path}`);
    await first.send('GET', '/v1/orders', { as: null, headers: { authorization: `Bearer ${SECRETS.text}` } });
    const marker = clientSpan();
    await place(first, freshKey(), marker);
    const [{ attributes }] = [await serverSpan(client.traceId), await serverSpan(marker.traceId)];
    expect(attributes['holdfast.outcome']).toBe('executed');
    expect(collector.resources[0]).toMatchObject({
      'service.name': 'shop',
      'service.instance.id': expect.any(String),
      'deployment.environment.name': 'test',
    });
    expect(collector.headers.map((headers) => headers['x-token'])).toEqual(collector.headers.map(() => `${SECRETS.header},1`));
    const secrets = [...Object.values(SECRETS), KEY_A, KEY_A.split('_').at(-1) ?? ''];
    const found = [...values, ...secrets].filter((secret) => collector.text.includes(secret));
    expect(found).toEqual([]);
  });
});

/** Writes down, at the end of a process, what of OpenTelemetry's SDK it has loaded. */
const LOADED = `
  process.on('exit', () => {
    const loaded = Object.keys(require.cache).filter((path) => path.includes('@opentelemetry') && !path.includes('@opentelemetry/api/'));
    require('node:fs').writeFileSync(process.env.LOADED_FILE, String(loaded.length));
  });`;

/** Starts a process, has it place an order, ends it, and tells how many files of the SDK it had loaded. */
async function loadedBy(own: Record<string, string>): Promise<{ code: unknown; files: number; traceparent: unknown }> {
  const directory = temporaryDirectory();
  const [hook, report] = [join(directory, 'hook.cjs'), join(directory, 'loaded')];
  writeFileSync(hook, LOADED);
  const api = await startProcess(database.url, { ...TIMES, NODE_OPTIONS: `--require ${hook}`, LOADED_FILE: report, ...own });
  started.push(api);
  const key = freshKey();
  expect((await place(api, key)).status).toBe(201);
  const code = await api.kill('SIGTERM');
  const [record] = await database.query<{ traceparent: unknown }>('SELECT traceparent FROM idempotency_records WHERE key = $1', [key]);
  return { code, files: Number(readFileSync(report, 'utf8')), traceparent: record?.traceparent };
}

describe('a process', () => {
  it('without a collector loads nothing of it and keeps no trace, and with one sends what is left when it ends', async () => {
    const before = collector.spans.length;
    const [off, on] = await Promise.all([loadedBy({}), loadedBy({ ...collector.env, OTEL_BSP_SCHEDULE_DELAY: '3600000' })]);
    expect(off).toEqual({ code: 0, files: 0, traceparent: null });
    expect([on.code, on.files > 0, collector.spans.length > before]).toEqual([0, true, true]);
  });

  it('serves, and ends, beside a collector that never answers and beside none', async () => {
    const [silent, gone] = await Promise.all([Collector.start(), Collector.start()]);
    silent.silent = true;
    await gone.close();
    const replicas = await Promise.all([start(silent.env), start(gone.env)]);
    for (const api of replicas) for (const key of [freshKey(), freshKey()]) expect((await place(api, key)).status).toBe(201);
    await eventually('spans to be on their way', () => silent.spans.length > 0);
    expect(await Promise.all(replicas.map((api) => api.kill('SIGTERM')))).toEqual([0, 0]);
    await silent.close();
  });
});
