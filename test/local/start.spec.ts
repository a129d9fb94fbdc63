import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../../local/processes.js';
import { Checkout, eventually, freePort } from './checkout.js';

/** Stands in for sandbox and API: answers every request with its process id, and with its demo key. */
const stub = (port: string) => `
import { createServer } from 'node:http';
import { readConfig } from '${port === 'sandboxPort' ? '../src' : '.'}/kernel/config.js';
const config = readConfig();
if (config.logLevel === 'fatal') process.exit(7);
process.on('SIGTERM', () => { console.log('${port} stopped'); process.exit(0); });
process.on('disconnect', () => process.exit(0));
createServer((_, response) => response.end(JSON.stringify({ pid: process.pid, key: config.demoKeys[0] })))
  .listen(config.${port}, '127.0.0.1', () => process.send({ ready: { url: 'http://127.0.0.1:' + config.${port} } }));
`;

describe('npm start', () => {
  const checkout = new Checkout();
  checkout.write('dist/src/main.js', stub('port'));
  checkout.write('dist/sandbox/main.js', stub('sandboxPort'));
  let env: Record<string, string>;

  beforeAll(async () => {
    const [database, api, sandbox] = [await freePort(), await freePort(), await freePort()];
    env = {
      EMBEDDED_DB_PORT: String(database),
      PORT: String(api),
      SANDBOX_PORT: String(sandbox),
      PROVIDER_URL: `http://127.0.0.1:${sandbox}`,
    };
  });
  afterAll(() => checkout.remove());

  const start = (extra = {}) => checkout.run('start.js', { ...env, ...extra }, /curl .*\n/);
  const ask = async (port: string | undefined) => {
    const response = await fetch(`http://127.0.0.1:${port}`).catch(() => undefined);
    return response && ((await response.json()) as { pid: number; key?: string });
  };
  const serverPid = () => Number.parseInt(readFileSync(join(checkout.directory, '.holdfast/postgres/postmaster.pid'), 'utf8'), 10);

  it('starts everything, prints a line to paste, and keeps the demo key', async () => {
    const first = await start();
    const key = /hf_test_[0-9a-z]{26}_[A-Za-z0-9]{40}/.exec(first.output())?.[0];
    expect(first.output()).toMatch(
      new RegExp(`curl -i -X POST http://127.0.0.1:${env.PORT}/v1/orders .*Bearer ${key}' .*Idempotency-Key: [0-9a-f-]{36}'`),
    );
    expect(first.output()).toContain(`http://127.0.0.1:${env.PORT}/docs`);
    expect((await ask(env.PORT))?.key).toBe(key);
    expect((await ask(env.SANDBOX_PORT))?.key).toBeUndefined();
    expect(statSync(join(checkout.directory, '.holdfast/demo-keys.json')).mode & 0o777).toBe(0o600);

    // A second one beside it gives up and harms nothing.
    const second = await start();
    expect(await second.code).toBe(1);
    expect(second.output()).toContain('already running');

    const pids = [(await ask(env.PORT))?.pid, (await ask(env.SANDBOX_PORT))?.pid, serverPid()];
    first.kill('SIGINT');
    first.kill('SIGINT');
    expect(await first.code).toBe(0);
    expect(first.output()).toMatch(/port stopped\nsandboxPort stopped/);
    expect(pids.map((pid) => pid && identityOf(pid))).toEqual([undefined, undefined, undefined]);

    const third = await start();
    expect(third.output()).toContain(`Bearer ${key}'`);
    third.kill('SIGTERM');
    await third.code;
  });

  it('starts a killed piece again, and leaves none when it is killed itself', async () => {
    const started = await start();
    const [api, server] = [await ask(env.PORT), serverPid()];
    process.kill(api?.pid ?? 0, 'SIGKILL');
    process.kill(server, 'SIGKILL');
    const newApi = await eventually('a new API', () => ask(env.PORT));
    expect(newApi.pid).not.toBe(api?.pid);
    const newServer = await eventually('a new server', () =>
      started.output().includes('The database ended') && existsLock() ? serverPid() : undefined,
    );
    const sandbox = await ask(env.SANDBOX_PORT);

    started.kill('SIGKILL');
    for (const pid of [newApi.pid, sandbox?.pid ?? 0, newServer])
      await eventually(`process ${pid} to end`, () => identityOf(pid) === undefined);
  });

  it('ends with the exit code of a piece that cannot start, and leaves nothing', async () => {
    const failed = await start({ LOG_LEVEL: 'fatal' });
    expect(await failed.code).toBe(7);
    expect(failed.output()).toContain('The provider sandbox ended with exit code 7.');
    expect(existsLock()).toBe(false);
  });

  const existsLock = () => existsSync(join(checkout.directory, '.holdfast/postgres/postmaster.pid'));
});
