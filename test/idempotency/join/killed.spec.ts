import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { countOf } from '../../support/ledger.js';
import { startLiftedApp } from '../../support/lifted-app.js';
import { hold, untilBlocked } from '../../support/locks.js';
import { CommitProxy, type Fate } from '../../support/proxy.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  // For its migrations.
  await (await startLiftedApp(database)).close();
});
afterAll(() => database.drop());

/** The application as a process of its own, on a request with this key and text. */
function run(id: string, text: string, url = database.url): { child: ChildProcessByStdio<null, Readable, null>; end: Promise<string> } {
  const child = spawn(process.execPath, ['test/idempotency/support/joined.mjs', url, id, text], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  return { child, end: new Promise((resolve, reject) => child.on('error', reject).on('close', () => resolve(said))) };
}

const records = () => countOf(database, 'idempotency_records');

/** The rows with this text, and the records that came since there were so many. */
const found = async (text: string, before: number) => [await countOf(database, 'notes', 'text = $1', [text]), (await records()) - before];

it('kill -9 of a joined handler leaves nothing half, and its retry has the whole effect', async () => {
  const [id, text, before] = [uuidv7(), uuidv7(), await records()];
  const lock = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
  const killed = run(id, text);
  await once(killed.child.stdout, 'data');
  const [pid] = await untilBlocked(database);
  killed.child.kill('SIGKILL');
  expect(await killed.end).toBe('written ');
  await lock.release();
  await eventually('the end of its session', async () => (await countOf(database, 'pg_stat_activity', 'pid = $1', [pid])) === 0);
  expect(await found(text, before)).toEqual([0, 0]);
  expect(await run(id, text).end).toBe('written replayed: false');
  expect(await found(text, before)).toEqual([2, 1]);
  expect(await run(id, text).end).toBe('replayed: true');
  expect(await found(text, before)).toEqual([2, 1]);
});

it.each<{ when: string; fate: Fate; left: [number, number]; retry: string }>([
  { when: 'its COMMIT not sent yet', fate: 'withhold', left: [0, 0], retry: 'written replayed: false' },
  { when: 'its COMMIT done and unanswered', fate: 'swallow', left: [2, 1], retry: 'replayed: true' },
])('kill -9 of a joined handler with $when leaves $left rows and records', async ({ fate, left, retry }) => {
  const [id, text, before] = [uuidv7(), uuidv7(), await records()];
  const proxy = await CommitProxy.start(database.url, 'INSERT INTO notes', { stepwise: true });
  try {
    proxy.next(fate);
    const killed = run(id, text, proxy.url);
    await eventually('its COMMIT', () => Promise.resolve(proxy.met === 1));
    await eventually('what it leaves', async () => isDeepStrictEqual(await found(text, before), left));
    killed.child.kill('SIGKILL');
    expect(await killed.end).toBe('written ');
  } finally {
    await proxy.close();
  }
  const open = "datname = current_database() AND state = 'idle in transaction'";
  await eventually('the end of its session', async () => (await countOf(database, 'pg_stat_activity', open)) === 0);
  expect(await found(text, before)).toEqual(left);
  expect(await run(id, text).end).toBe(retry);
  expect(await found(text, before)).toEqual([2, 1]);
});
