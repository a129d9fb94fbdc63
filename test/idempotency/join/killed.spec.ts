import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { countOf } from '../../support/ledger.js';
import { startLiftedApp } from '../../support/lifted-app.js';
import { hold, untilBlocked } from '../../support/locks.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  // For its migrations.
  await (await startLiftedApp(database)).close();
});
afterAll(() => database.drop());

it('kill -9 of a joined handler leaves nothing half, and its retry has the whole effect', async () => {
  const [id, text] = [uuidv7(), uuidv7()];
  const found = async () => [await countOf(database, 'notes', 'text = $1', [text]), await countOf(database, 'idempotency_records')];
  const run = () => {
    const child = spawn(process.execPath, ['test/idempotency/support/joined.mjs', database.url, id, text]);
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    return { child, end: new Promise<string>((resolve, reject) => child.on('error', reject).on('close', () => resolve(said))) };
  };
  const lock = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
  const killed = run();
  await once(killed.child.stdout, 'data');
  const [pid] = await untilBlocked(database);
  killed.child.kill('SIGKILL');
  expect(await killed.end).toBe('written ');
  await lock.release();
  await eventually('the end of its session', async () => (await countOf(database, 'pg_stat_activity', 'pid = $1', [pid])) === 0);
  expect(await found()).toEqual([0, 0]);
  expect(await run().end).toBe('written replayed: false');
  expect(await found()).toEqual([2, 1]);
  expect(await run().end).toBe('replayed: true');
  expect(await found()).toEqual([2, 1]);
});
