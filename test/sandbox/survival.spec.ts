import { connect } from 'node:net';
import { buildSandbox } from '../../sandbox/sandbox.js';
import { hold } from '../support/locks.js';
import { Harness, eventually, freshKey, noAnswer } from './harness.js';

const sandbox = new Harness();

async function endBackends(condition: string): Promise<number> {
  const ended = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast-sandbox'`;
  return (await sandbox.database.query(`${ended} AND ${condition}`)).length;
}

describe('survival', () => {
  it('answers 503 without an effect when the database connection is lost in the middle, and goes on', async () => {
    const key = freshKey();
    const held = await hold(sandbox.database, 'LOCK TABLE charges IN EXCLUSIVE MODE');
    const answer = sandbox.charge(key);
    await eventually(async () => {
      expect(await endBackends(`query LIKE 'INSERT INTO charges%' AND wait_event_type = 'Lock'`)).toBe(1);
    });
    await held.release();
    expect(await answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    expect(await sandbox.chargesOf(key)).toEqual([]);
    expect(await endBackends('true')).toBeGreaterThan(0);
    // Until the pool has heard of its dead connections, a request may still be given one.
    await eventually(async () => expect(await sandbox.charge(key)).toMatchObject({ status: 201 }));
    expect(await sandbox.chargesOf(key)).toHaveLength(1);
  });

  it('cuts the connection when the answer to COMMIT is lost: whether there is an effect is then unknown', async () => {
    const key = freshKey();
    await sandbox.database.query(`
      CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON charges DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`);
    const cut = noAnswer(sandbox.charge(key));
    await eventually(async () => expect(await endBackends(`query = 'COMMIT' AND state = 'active'`)).toBe(1));
    await cut;
    await sandbox.database.query('DROP FUNCTION dawdle CASCADE');
    expect(await sandbox.charge(key)).toMatchObject({ status: 201 });
  });

  it('closes promptly with keep-alive, hung, slow and half-sent requests, and answers the slow one', async () => {
    const keys = { hung: freshKey(), slow: freshKey() };
    const hung = sandbox.charge(keys.hung, 'tok_hang_after').catch(() => 'cut');
    await eventually(async () => expect(await sandbox.chargesOf(keys.hung)).toHaveLength(1));
    await sandbox.faults({ latencyMs: 600_000 });
    const slow = sandbox.charge(keys.slow);
    const { hostname, port } = new URL(sandbox.url);
    const half = connect(Number(port), hostname).on('error', () => undefined);
    half.write(
      'POST /charges HTTP/1.1\r\nhost: x\r\nidempotency-key: half\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    await eventually(async () => expect(await sandbox.chargesOf(keys.slow)).toHaveLength(1));
    await sandbox.restart();
    expect(await slow).toMatchObject({ status: 201 });
    expect(await hung).toBe('cut');
  });

  it('creates a missing database, and says so when it can not be used in time', async () => {
    const missing = new URL(sandbox.database.url);
    missing.pathname += '_made';
    const other = await buildSandbox({ databaseUrl: missing.href });
    await other.close();
    await sandbox.database.query(`DROP DATABASE "${missing.pathname.slice(1)}"`);
    const refused = buildSandbox({ databaseUrl: 'postgres://x:secret@127.0.0.1:1/y', databaseWaitMs: 300 });
    await expect(refused).rejects.toThrow(/^The sandbox's database 127.0.0.1:1\/y could not be used within 0.3 s: .*ECONNREFUSED/);
  });
});
