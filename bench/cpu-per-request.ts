import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, chmodSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { startEmbeddedPostgres } from '../local/embedded-postgres.js';
import { childEnvironment } from '../src/config.js';

/**
 * Prints what one order costs in CPU time, of Node and of PostgreSQL, from /proc (Linux): wall time depends on whatever
 * else the machine does. First requests with two items, then replays of one of them; durable PostgreSQL, one API process.
 */
const REQUESTS = 4_000;
const WARM_UP = 1_500;
const CONNECTIONS = 16;
const TICK_US = 10_000;
const KEY = `hf_test_${'0'.repeat(26)}_benchmarkbenchmark`;
const BODY = JSON.stringify({
  items: [
    { productId: 'rope-10m', quantity: 1 },
    { productId: 'shackle', quantity: 1 },
  ],
});

const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
chmodSync(directory, 0o755);
const database = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), port: 0, databases: ['holdfast'] });
const api = spawn(process.execPath, [new URL('../src/main.js', import.meta.url).pathname], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  env: childEnvironment({ DATABASE_URL: database.url('holdfast'), PORT: '0', LOG_LEVEL: 'warn', DEMO_API_KEY: KEY, NODE_ENV: 'test' }),
});
try {
  const url = await addressOf(api);
  const fresh = (): string => uuidv7();
  const same = uuidv7();
  await load(url, WARM_UP, fresh);
  await report('first request', () => load(url, REQUESTS, fresh));
  await load(url, 1, () => same);
  await load(url, WARM_UP, () => same);
  await report('replay', () => load(url, REQUESTS, () => same));
} finally {
  api.kill('SIGTERM');
  await new Promise((resolve) => api.once('exit', resolve));
  await database.stop();
  rmSync(directory, { recursive: true, force: true });
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve((message as { ready: { url: string } }).ready.url));
    child.once('exit', (code) => reject(new Error(`the API ended with ${code}`)));
  });
}

async function report(name: string, work: () => Promise<void>): Promise<void> {
  const before = cpu();
  await work();
  const after = cpu();
  const node = Math.round((after.node - before.node) / REQUESTS);
  const postgres = Math.round((after.postgres - before.postgres) / REQUESTS);
  process.stdout.write(`${name}: ${node} µs Node + ${postgres} µs PostgreSQL = ${node + postgres} µs CPU\n`);
}

/** CPU time so far in microseconds: of the API, and of the server's processes together. */
function cpu(): { node: number; postgres: number } {
  const backends = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && statOf(pid)?.parent === database.pid);
  const postgres = backends.reduce((sum, pid) => sum + (statOf(pid)?.cpu ?? 0), 0);
  return { node: statOf(String(api.pid))?.cpu ?? 0, postgres };
}

/** proc(5): fields 4, 14 and 15, counted behind the name, which may hold anything. */
function statOf(pid: string): { parent: number; cpu: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) * TICK_US };
  } catch {
    return undefined;
  }
}

async function load(url: string, count: number, key: () => string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status = await send(url, agent, key());
      if (status !== 201) throw new Error(`status ${status}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, count) }, client));
  agent.destroy();
}

function send(url: string, agent: Agent, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'content-length': BODY.length,
      'idempotency-key': key,
    };
    const call = request(`${url}/v1/orders`, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    call.once('error', reject).end(BODY);
  });
}
