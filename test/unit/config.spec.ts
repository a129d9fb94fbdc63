import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError, parseConfig, variableNames } from '../../src/kernel/config.js';
import { parseDuration } from '../../src/kernel/durations.js';
import { run } from '../support/built-process.js';

const DEMO_KEY = `hf_test_${'0'.repeat(26)}_topsecretvalue`;
const example = readFileSync(resolve(__dirname, '../../.env.example'), 'utf8');
const exampleLines = example.split('\n').filter((line) => /^#? ?[A-Z][A-Z0-9_]*=/.test(line));

/** What the start says about these variables. */
function complaints(env: Record<string, string>): string {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was taken');
}

describe('.env.example', () => {
  it('lists exactly the variables that are read', () => {
    const names = exampleLines.map((line) => line.replace(/^#? ?([A-Z0-9_]+)=.*$/, '$1'));
    expect(names.toSorted()).toEqual([...variableNames].toSorted());
  });

  it('changes nothing when it is copied', () => {
    expect(exampleLines.filter((line) => !line.startsWith('# '))).toEqual([]);
  });

  it('names the defaults', () => {
    const defaults = Object.fromEntries(exampleLines.map((line) => line.slice(2).split(/=(.*)/s).slice(0, 2) as [string, string]));
    expect(parseConfig(defaults)).toEqual(parseConfig({}));
    // An empty value is no default: where the schema has one, it is written out.
    const empty = Object.keys(defaults).filter((name) => defaults[name] === '');
    for (const name of empty) expect(parseConfig({ ...defaults, [name]: undefined })).toEqual(parseConfig(defaults));
    expect(Object.keys(defaults).filter((name) => defaults[name] !== '')).toEqual(expect.arrayContaining(['PORT', 'IDEMPOTENCY_WINDOW']));
  });

  it('explains each variable in a line above', () => {
    const lines = example.split('\n');
    const bare = exampleLines.filter((line) => !/^# ./.test(lines[lines.indexOf(line) - 1] ?? ''));
    expect(bare).toEqual([]);
  });
});

describe('durations', () => {
  it.each([
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['400d', 34_560_000_000],
  ])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it.each(['', '30', 's', '1.5s', '-1s', '1 s', '1S', '1w', '1h30m', '1e3s', '99999999999s'])('%j is none', (text) =>
    expect(() => parseDuration(text)).toThrow(/must be a duration/),
  );
});

describe('a wrong value', () => {
  it.each([
    ['PORT', 'abc'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '3000.5'],
    ['INTERNAL_PORT', 'none'],
    ['NODE_ENV', 'staging'],
    ['LOG_LEVEL', 'loud'],
    ['MIGRATE', 'yes'],
    ['DATABASE_URL', 'mysql://root:hunter2@db/x'],
    ['DATABASE_OWNER_URL', 'hunter2'],
    ['SANDBOX_DATABASE_URL', 'http://hunter2'],
    ['DATABASE_URL', 'postgres://x:hunter2@db:none/x'],
    ['DATABASE_URL', 'postgres://x:hunter2@db/x?port=none'],
    ['DATABASE_URL', 'postgres://x:hunter2@db/x?sslrootcert=/nowhere/ca.pem'],
    ['DB_POOL_SIZE', '4711'],
    ['ACCOUNT_SHARE', '1.4711'],
    ['DEMO_API_KEY', 'hf_test_short_hunter2hunter2'],
    ['DEMO_API_KEY_B', 'hf_live_00000000000000000000000000_hunter2hunter2'],
    ['RATE_LIMIT', '777'],
    ['RATE_LIMIT', '0/7m'],
    ['RATE_LIMIT', '7/25h'],
    ['RATE_LIMIT_STORE', 'hunter2'],
    ['TRUST_PROXY', 'everybody'],
    ['TRUST_PROXY', '10.9.8.7,'],
    ['TRUST_PROXY', '999.9.8.7'],
    ['TRUST_PROXY', '10.9.8.0/33'],
    ['TRUST_PROXY', '2'],
    ['IDEMPOTENCY_WINDOW', '97'],
    ['IDEMPOTENCY_WINDOW', '1ms'],
    ['IDEMPOTENCY_PURGE_INTERVAL', 'often'],
    ['IDEMPOTENCY_LATE_REQUESTS', 'maybe'],
    ['PROVIDER', 'paypal'],
    ['PROVIDER_URL', 'ftp://hunter2'],
    ['PROVIDER_WEBHOOK_SECRET', 'hunter2'],
    ['STRIPE_API_HOST', 'hunter2'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://hunter2'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'hunter2'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x-token=hunter2%zz'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'zone=a,hunter2'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.4711'],
    ['OTEL_BSP_SCHEDULE_DELAY', '5s'],
    ['OTEL_SDK_DISABLED', 'perhaps'],
  ])('%s=%s stops the start by name, without the value', (name, value) => {
    const message = complaints({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name}: must `, 'm'));
    expect(message).not.toContain(value);
    expect(message).not.toContain('hunter2');
  });

  it('is named together with all the others', () => {
    expect(complaints({ PORT: 'abc', LOG_LEVEL: 'loud', RATE_LIMIT: 'often' }).split('\n')).toEqual([
      expect.stringMatching(/^PORT: /),
      expect.stringMatching(/^LOG_LEVEL: /),
      expect.stringMatching(/^RATE_LIMIT: /),
    ]);
  });

  it('is not an empty one: that counts as not set', () => {
    expect(parseConfig(Object.fromEntries(variableNames.map((name) => [name, ''])))).toEqual(parseConfig({}));
  });

  it('ends the process with 78 before it touches anything', async () => {
    const { code, stdout, stderr } = await run('src/main.js', [], { PORT: 'abc', STRIPE_API_HOST: 'hunter2' });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^PORT: must be a whole number from 0 to 65535$/m);
    expect(stdout + stderr).not.toContain('hunter2');
  });
});

it('a rate is so many requests in so much time, and proxies are named by their addresses', () => {
  expect(parseConfig({ RATE_LIMIT: '600/30s' }).rateLimit).toEqual({ requests: 600, milliseconds: 30_000 });
  expect(parseConfig({ TRUST_PROXY: '10.0.0.0/8,fd00::/8' }).trustProxy).toBe('10.0.0.0/8,fd00::/8');
  expect(parseConfig({}).trustProxy).toBeUndefined();
});

describe('traces', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

  it('are made where a collector is named, and OpenTelemetry is not disabled', () => {
    expect(parseConfig({}).tracing).toBeUndefined();
    expect(parseConfig({ ...endpoint, OTEL_SDK_DISABLED: 'true' }).tracing).toBeUndefined();
    expect(parseConfig(endpoint).tracing).toMatchObject({ endpoint: 'http://collector:4318', serviceName: 'holdfast', headers: {} });
  });

  it('have headers and attributes in percent-encoded pairs', () => {
    const { headers } = parseConfig({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi=, x-b=1%2C2' }).tracing ?? {};
    expect(headers).toEqual({ authorization: 'Basic YTpi=', 'x-b': '1,2' });
  });
});
describe('values that contradict each other', () => {
  it('the lease must be longer than the time limit of the provider', () => {
    expect(complaints({ IDEMPOTENCY_LEASE: '10s', PROVIDER_TIMEOUT: '10s' })).toMatch(/^IDEMPOTENCY_LEASE: .*PROVIDER_TIMEOUT/);
    expect(parseConfig({ IDEMPOTENCY_LEASE: '11s', PROVIDER_TIMEOUT: '10s' })).toMatchObject({ lease: 11_000, providerTimeout: 10_000 });
  });

  it('the archive must remember for as long as the window at least', () => {
    const hour = { IDEMPOTENCY_ARCHIVE_RETENTION: '1h' };
    expect(complaints(hour)).toMatch(/^IDEMPOTENCY_ARCHIVE_RETENTION: .*IDEMPOTENCY_WINDOW/);
    expect(parseConfig({ ...hour, IDEMPOTENCY_WINDOW: '1h' })).toMatchObject({ archiveRetention: 3_600_000, window: 3_600_000 });
  });

  it('stripe needs its key', () => {
    expect(complaints({ PROVIDER: 'stripe' })).toMatch(/^STRIPE_SECRET_KEY: /);
  });

  it('stripe is called in the clear by tests alone', () => {
    const stripe = { PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_API_HOST: 'http://127.0.0.1:1' };
    for (const NODE_ENV of ['development', 'production'])
      expect(complaints({ ...stripe, NODE_ENV })).toMatch(/^STRIPE_API_HOST: must begin with https/m);
    expect(parseConfig({ ...stripe, NODE_ENV: 'test' }).stripeApiHost).toBe('http://127.0.0.1:1');
    expect(parseConfig({ ...stripe, STRIPE_API_HOST: 'https://127.0.0.1:1' }).provider).toBe('stripe');
  });

  it('production says which provider, and does not take the sandbox by itself', () => {
    const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://db/x', DATABASE_BACKGROUND_URL: 'postgres://background@db/x' };
    expect(complaints(production)).toMatch(/^PROVIDER: must be set in production/m);
    expect(parseConfig({ ...production, PROVIDER: 'sandbox' }).provider).toBe('sandbox');
    expect(parseConfig({}).provider).toBe('sandbox');
  });

  it('production has a role of its own for what sees all accounts', () => {
    const production = { NODE_ENV: 'production', PROVIDER: 'sandbox', DATABASE_URL: 'postgres://db/x' };
    expect(complaints(production)).toMatch(/^DATABASE_BACKGROUND_URL: must be set in production/);
    expect(complaints({ ...production, DATABASE_BACKGROUND_URL: production.DATABASE_URL })).toMatch(/^DATABASE_BACKGROUND_URL: /);
  });

  it('production has no demo keys and no embedded database', () => {
    const message = complaints({ NODE_ENV: 'production', DEMO_API_KEY: DEMO_KEY, DEMO_API_KEY_B: DEMO_KEY });
    expect(message).toMatch(/^DATABASE_URL: /m);
    expect(message).toMatch(/^DEMO_API_KEY: /m);
    expect(message).toMatch(/^DEMO_API_KEY_B: /m);
    expect(message).not.toContain('topsecretvalue');
  });
});

describe('the address of a database', () => {
  it.each([
    ['postgres://me:p%40ss%2F@db:5433/shop', 'postgres://me:p%40ss%2F@db:5433/shop_sandbox'],
    [
      'postgresql://db/shop?sslmode=no-verify&options=-csearch_path%3Dx',
      'postgresql://db/shop_sandbox?sslmode=no-verify&options=-csearch_path%3Dx',
    ],
    ['postgres://me@[::1]:5433/shop', 'postgres://me@[::1]:5433/shop_sandbox'],
    ['postgres:///shop?host=/run/pg', 'postgres:///shop_sandbox?host=/run/pg'],
    ['postgres://me:pw@/shop?host=/run/pg', 'postgres://me:pw@/shop_sandbox?host=/run/pg'],
    ['postgres://me@%2Frun%2Fpg/shop', 'postgres://me@%2Frun%2Fpg/shop_sandbox'],
    ['postgres://me@db', 'postgres://me@db/me_sandbox'],
    ['postgres://db?user=me', 'postgres://db/me_sandbox?user=me'],
    ['postgres://me@db/my%20shop', 'postgres://me@db/my%20shop_sandbox'],
    ['socket://me:pw@/run/pg?db=shop', 'socket://me:pw@/run/pg?db=shop_sandbox'],
    ['/run/pg shop', '/run/pg shop_sandbox'],
  ])('%s is taken as it is, and the sandbox’s is another database at it', (DATABASE_URL, sandbox) => {
    expect(parseConfig({ DATABASE_URL })).toMatchObject({
      databaseUrl: DATABASE_URL,
      databaseOwnerUrl: DATABASE_URL,
      sandboxDatabaseUrl: sandbox,
    });
  });
});

it('is frozen', () => {
  expect(Object.isFrozen(parseConfig({}))).toBe(true);
});
