import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import { parseConfig, variableNames, type Config } from '../../src/kernel/config.js';
import { parseDuration } from '../../src/kernel/durations.js';
import { DEFAULT_KEY, DEFAULT_KEY_B } from '../e2e/client.js';
import { environmentOf, readCompose, readRepositoryFile, variablesOf, type Service } from '../support/compose.js';

const compose = readCompose();
const services = Object.entries(compose.services);
/** Those that run our image. */
const ours = services.filter(([, service]) => service.build !== undefined);
const replicas = ours.filter(([, service]) => service.command === undefined);
const configOf = (service: Service): Config => parseConfig(environmentOf(service));

function service(name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}

it('is a compose file', () => {
  const { $schema: _, ...schema } = JSON.parse(readRepositoryFile('node_modules/dclint/schemas/compose.schema.json')) as object & {
    $schema: string;
  };
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.validate(schema, compose);
  expect(ajv.errors).toBeNull();
});

it('works without any variable from outside', () => {
  const open = variablesOf(readRepositoryFile('docker-compose.yml')).filter(({ fallback }) => fallback === undefined);
  expect(open).toEqual([]);
});

it('runs two replicas, the sandbox and the migrations from one image', () => {
  expect(ours.map(([name]) => name).toSorted()).toEqual(['api-1', 'api-2', 'migrate', 'sandbox']);
  expect(replicas.map(([name]) => name)).toEqual(['api-1', 'api-2']);
  expect(new Set(ours.map(([, { image }]) => image)).size).toBe(1);
  expect(service('api-1')).toEqual(service('api-2'));
});

/** Name, version and digest: nobody moves it. */
const PINNED = /^[a-z0-9./-]+:[a-z0-9][a-z0-9._-]*@sha256:[0-9a-f]{64}$/;

it.each(services.filter(([, { image }]) => image !== 'holdfast:local'))('%s: the image is pinned', (_, { image }) => {
  expect(image).toMatch(PINNED);
});

it.each(services)('%s: waits for services that exist and can say that they are well', (_, { depends_on: needed = {} }) => {
  for (const [name, { condition }] of Object.entries(needed)) {
    const { healthcheck } = service(name);
    const canBeHealthy = healthcheck?.test !== undefined && healthcheck.disable !== true;
    expect([name, condition]).toEqual([name, canBeHealthy ? 'service_healthy' : 'service_completed_successfully']);
  }
});

describe.each(ours)('%s', (name, container) => {
  it('sets variables that exist, to values that are taken', () => {
    expect(Object.keys(environmentOf(container)).filter((variable) => !variableNames.includes(variable))).toEqual([]);
    expect(() => configOf(container)).not.toThrow();
  });

  it('takes passwords from outside', () => {
    const passwords = ['OWNER', 'API', 'BACKGROUND', 'SANDBOX'].map((role) => [`${role}_PASSWORD`, 'p%40ss']);
    const environment = environmentOf(container, Object.fromEntries(passwords) as Record<string, string>);
    expect(() => parseConfig(environment)).not.toThrow();
    const urls = Object.entries(environment).filter(([variable]) => /DATABASE_(\w+_)?URL$/.test(variable));
    expect(new Set(urls.map(([, url]) => new URL(url).password))).toEqual(new Set(['p%40ss']));
  });

  it('names hosts of this file, at the ports on which they listen', () => {
    const listening: Record<string, string> = {
      postgres: '5432',
      proxy: '3000',
      sandbox: String(configOf(service('sandbox')).sandboxPort),
    };
    const urls = Object.entries(environmentOf(container)).filter(([variable]) => variable.endsWith('_URL'));
    const places = urls.map(([, url]) => new URL(url)).map(({ hostname, port }) => `${hostname}:${port}`);
    expect(places.filter((place) => !Object.entries(listening).some(([host, port]) => place === `${host}:${port}`))).toEqual([]);
  });

  it('listens where others reach it', () => {
    const { host } = configOf(container);
    expect(host).toBe(name === 'migrate' ? '127.0.0.1' : '0.0.0.0');
  });

  it('runs a script of the build, itself and not through npm', () => {
    const script = (container.command ?? commandOfImage()).at(-1) ?? '';
    expect((container.command ?? commandOfImage())[0]).toBe('node');
    expect(existsSync(resolve(__dirname, '../..', script.replace(/^dist\/(.*)\.js$/, '$1.ts')))).toBe(true);
    expect(existsSync(resolve(__dirname, '../..', script))).toBe(true);
    expect(container.init).toBe(true);
  });

  it('is asked for its health at the port on which it listens', () => {
    const test = container.healthcheck?.test?.join(' ');
    const { port, sandboxPort } = configOf(container);
    const asked = test?.match(/http:\/\/127\.0\.0\.1:(\d+)(\/[a-z/]+)/)?.slice(1);
    const expected = name === 'sandbox' ? [String(sandboxPort), '/faults'] : [String(port), '/health/ready'];
    expect(asked).toEqual(name === 'migrate' ? undefined : expected);
  });

  it('is given longer to stop than it gives itself', () => {
    expect(parseDuration(container.stop_grace_period ?? '0s')).toBeGreaterThan(configOf(container).drainTime + 12_000);
  });
});

it('the replicas share one database and differ from the sandbox’s', () => {
  const [first, second] = replicas.map(([, replica]) => configOf(replica).databaseUrl);
  expect(first).toBe(second);
  expect(configOf(service('migrate')).databaseUrl).toBe(first);
  expect(configOf(service('sandbox')).sandboxDatabaseUrl).not.toBe(first);
  expect(replicas.map(([, replica]) => configOf(replica).migrate)).toEqual([false, false]);
  expect(environmentOf(service('api-1'))).not.toHaveProperty('DATABASE_OWNER_URL');
});

it('each role is made, with its password, and is none of a superuser', () => {
  const { databaseUrl, backgroundUrl } = configOf(service('api-1'));
  const urls = [configOf(service('migrate')).databaseOwnerUrl, databaseUrl, backgroundUrl, configOf(service('sandbox')).sandboxDatabaseUrl];
  const passwords = environmentOf(service('postgres'));
  const made = [...readRepositoryFile('ops/postgres-roles.sh').matchAll(/^CREATE ROLE (\w+) LOGIN PASSWORD :'(\w+)';$/gm)];
  expect(made.map(([, role, of = '']) => [role, passwords[`${of.toUpperCase()}_PASSWORD`]])).toEqual(
    urls.map((url) => [new URL(url).username, new URL(url).password]),
  );
});

it('the sandbox signs what the replicas verify', () => {
  const { providerWebhookSecret, providerWebhookUrl } = configOf(service('sandbox'));
  expect(replicas.map(([, replica]) => configOf(replica).providerWebhookSecret)).toEqual([providerWebhookSecret, providerWebhookSecret]);
  expect(providerWebhookUrl).toMatch(/\/v1\/provider\/webhooks$/);
});

it('takes the demo keys from outside', () => {
  const DEMO_API_KEY = `hf_test_${'1'.repeat(26)}_another1`;
  expect(parseConfig(environmentOf(service('migrate'), { DEMO_API_KEY })).demoKeys).toEqual([DEMO_API_KEY, DEFAULT_KEY_B]);
});

it('the demo keys are those that the end-to-end tests use when they are told no others', () => {
  expect(configOf(service('migrate')).demoKeys).toEqual([DEFAULT_KEY, DEFAULT_KEY_B]);
});

it('the proxy alone is published, beside what shows the metrics where that is asked for; on this machine', () => {
  const published = services.filter(([, { ports }]) => ports !== undefined);
  expect(published.map(([name, { profiles }]) => [name, profiles])).toEqual([
    ['proxy', undefined],
    ['prometheus', ['observability']],
    ['grafana', ['observability']],
  ]);
  for (const [, { ports = [] }] of published) expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/)]);
});

it('the proxy knows every replica', () => {
  const published = service('proxy').ports?.map((port) => port.replace(/\$\{[A-Z_]+:-(\d+)\}/, '$1'));
  expect(published).toEqual(['127.0.0.1:3000:3000']);
  const haproxy = readRepositoryFile('ops/haproxy.cfg');
  expect(haproxy).toMatch(/^\s+bind :3000$/m);
  const servers = [...haproxy.matchAll(/^\s+server \S+ (\S+):(\d+)/gm)].map(([, host, port]) => [host, Number(port)]);
  const ports = replicas.map(([name, replica]) => [name, configOf(replica)] as const);
  expect(servers).toEqual([
    ...ports.map(([name, { internalPort }]) => [name, internalPort]),
    ...ports.map(([name, { port }]) => [name, port]),
  ]);
  expect(haproxy).not.toMatch(/path(_beg)? .*\/metrics/);
  expect(Object.keys(service('proxy').depends_on ?? {})).toEqual(replicas.map(([name]) => name));
});

it('PostgreSQL keeps its data in a volume, where version 18 looks for them', () => {
  expect(service('postgres').image).toMatch(/^postgres:18/);
  expect(service('postgres').volumes).toEqual([
    'postgres:/var/lib/postgresql',
    './ops/postgres-roles.sh:/docker-entrypoint-initdb.d/roles.sh:ro',
  ]);
  expect(Object.keys(compose.volumes)).toEqual(['postgres', 'prometheus']);
});

/** CMD of the Dockerfile's last stage. */
function commandOfImage(): string[] {
  const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(readRepositoryFile('Dockerfile')) ?? [];
  return JSON.parse(command) as string[];
}

it('every action of CI is pinned by its commit', () => {
  const actions = [...readRepositoryFile('.github/workflows/ci.yml').matchAll(/uses: (\S+)/g)].map(([, action]) => action);
  expect(actions.length).toBeGreaterThan(0);
  for (const action of actions) expect(action).toMatch(/@[0-9a-f]{40}$/);
});

describe('the image', () => {
  const dockerfile = readRepositoryFile('Dockerfile');

  it('is built on one pinned image, and runs as nobody important', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(PINNED);
    expect(bases[0]).toMatch(/^node:24\./);
    expect(dockerfile).toMatch(/^USER node$/m);
  });

  it('is stopped and started without a shell in between', () => {
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGTERM$/m);
    expect(commandOfImage()).toEqual(['node', '--enable-source-maps', 'dist/src/main.js']);
    expect(dockerfile).not.toMatch(/^(CMD|ENTRYPOINT) [^[]/m);
  });

  it('names scripts that are built', () => {
    const scripts = [...dockerfile.matchAll(/node (dist\/\S+\.js)/g)].map(([, script = '']) => script);
    expect(scripts).toHaveLength(5);
    for (const script of scripts) expect(existsSync(resolve(__dirname, '../..', script))).toBe(true);
  });

  it('is built from what its processes are made of, and from no secret, data or test', () => {
    const allowed = readRepositoryFile('.dockerignore')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    const tools = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', '.swcrc'];
    expect(allowed).toEqual(['*', ...[...tools, 'src', 'migrations', 'sandbox'].map((name) => `!${name}`)]);
  });
});
