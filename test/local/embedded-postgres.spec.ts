import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../local/embedded-postgres.js';
import { identityOf } from '../../local/processes.js';
import { Checkout, eventually, freePort, takePort, temporaryDirectory } from './checkout.js';

/** The rows of one statement, on a connection of its own. */
async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL, started by us', () => {
  const directory = temporaryDirectory();
  const start = (name = 'data', port = 0): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      directory: join(directory, name),
      port,
      databases: ['holdfast', 'holdfast_sandbox'],
      flags: ['-c', 'fsync=off'],
    });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('keeps what was committed when the server is killed, and leaves no process when it is stopped', async () => {
    const first = await start();
    await query(first.url('holdfast'), 'CREATE TABLE kept (id int)');
    await query(first.url('holdfast'), 'INSERT INTO kept VALUES (1), (2)');
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toMatch(/^PostgreSQL ended/);

    const second = await start();
    expect(await query(second.url('holdfast'), 'SELECT id FROM kept ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await query(second.url('holdfast_sandbox'), 'SHOW max_connections')).toEqual([{ max_connections: '200' }]);
    await second.stop();
    expect(identityOf(second.pid)).toBeUndefined();
  });

  it('refuses a second server on the same data and leaves the first one alone', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(new RegExp(`already running on .*process ${first.pid}, port ${first.port}`));
    expect(await query(first.url('holdfast'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);

    const lock = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8');
    await first.stop();
    // What kill -9 leaves, after the process id has been given to somebody else.
    writeFileSync(join(directory, 'data', 'postmaster.pid'), lock.replace(/^\d+/, String(process.pid)));
    await (await start()).stop();
  });

  it('names the port and the variable when the port is taken', async () => {
    const taken = await takePort();
    await expect(start('data', taken.port)).rejects.toThrow(new RegExp(`Port ${taken.port}, .* EMBEDDED_DB_PORT`));
    await taken.close();
  });

  it('makes no database where something else is kept', async () => {
    mkdirSync(join(directory, 'photos'));
    writeFileSync(join(directory, 'photos', 'cat.jpg'), '');
    await expect(start('photos')).rejects.toThrow(/photos holds something that is not a database.* EMBEDDED_DB_DIR/);
  });
});

describe('npm run start:db', () => {
  const checkout = new Checkout();
  afterAll(() => checkout.remove());

  const lockOf = () => readFileSync(join(checkout.directory, '.holdfast/postgres/postmaster.pid'), 'utf8');
  const childrenOf = (pid: number) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

  it('leaves no server behind, recovers from every kill -9, and keeps the rows', async () => {
    const port = String(await freePort());
    const url = `postgres://holdfast@127.0.0.1:${port}/holdfast`;
    const start = () => checkout.run('start-db.js', { EMBEDDED_DB_PORT: port, LOG_LEVEL: 'silent' }, /\n/);

    const first = await start();
    expect(first.output()).toBe(`${url}\n`);
    await query(url, 'CREATE TABLE kept (id int)');
    await query(url, 'INSERT INTO kept VALUES (1)');
    const server = Number.parseInt(lockOf(), 10);
    first.kill('SIGKILL');
    await eventually('the server to end with its owner', () => identityOf(server) === undefined);

    // Our process and the guard at once: the server is an orphan, which the next start must replace.
    const second = await start();
    const orphan = Number.parseInt(lockOf(), 10);
    const [guard = 0] = childrenOf(second.pid);
    const doomed = [second.pid, guard, ...childrenOf(guard).filter((pid) => pid !== orphan)];
    // Held first: each of them acts on the end of another.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of doomed) process.kill(pid, signal);
    await second.code;
    expect(identityOf(orphan)).toBeDefined();

    const third = await start();
    expect(identityOf(orphan)).toBeUndefined();
    expect(await query(url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
    const last = Number.parseInt(lockOf(), 10);
    third.kill('SIGTERM');
    expect(await third.code).toBe(0);
    expect(identityOf(last)).toBeUndefined();
  });

  it('says so and fails when the server dies', async () => {
    const started = await checkout.run('start-db.js', { EMBEDDED_DB_PORT: String(await freePort()) }, /\n/);
    process.kill(Number.parseInt(lockOf(), 10), 'SIGKILL');
    expect(await started.code).toBe(1);
    expect(started.output()).toContain('The database ended unexpectedly');
  });
});
