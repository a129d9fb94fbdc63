import { v7 as uuidv7 } from 'uuid';
import type { Call } from '../../src/idempotency/postgres/statement.js';
import { findDue, takeDue, type DueRow } from '../../src/idempotency/steps/takeover.store.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
  await partition();
});
afterAll(() => database.drop());

/** As an operator of very many records may do it: by account, which every key leads with. */
async function partition(): Promise<void> {
  await database.query(`
    ALTER TABLE idempotency_records RENAME TO whole;
    CREATE TABLE idempotency_records (LIKE whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY HASH (account_id);
    DROP TABLE whole;
    ALTER TABLE idempotency_records
      ADD CONSTRAINT idempotency_records_pkey PRIMARY KEY (account_id, key),
      ADD CONSTRAINT idempotency_records_operation_key UNIQUE (account_id, operation_id);
    CREATE TABLE idempotency_records_0 PARTITION OF idempotency_records FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE idempotency_records_1 PARTITION OF idempotency_records FOR VALUES WITH (MODULUS 2, REMAINDER 1)`);
}

interface Place {
  account_id: string;
  partition: string;
  ctid: string;
}

/** A payment of some account that falls into the partition. */
async function addRecord(into: string, status: 'running' | 'completed'): Promise<Place> {
  for (;;) {
    const [place] = await database.query<Place>(
      `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, subject_id, window_ms,
                                        response_status, response_headers, response_body, next_run_at, created_at, completed_at, expires_at)
       SELECT account, 'k', $1::uuid, 'POST /v1/payments', $2::bytea, $3::text, 'payments.charge', $1::uuid, 1, 202, '{}', '{}', now(), now(), now(), now()
         FROM gen_random_uuid() AS account
        WHERE satisfies_hash_partition('idempotency_records'::regclass, 2, right($4::text, 1)::int, account)
       RETURNING account_id, tableoid::regclass::text AS partition, ctid::text`,
      [uuidv7(), Buffer.alloc(32), status, into],
    );
    if (place) return place;
  }
}

const STEPS = ['payments.charge'];

const run = <Row>({ text, values }: Call): Promise<Row[]> => database.query<Row>(text, values);

/** As the recoverer does: looks for what is due, and takes each. */
async function takeAllDue(): Promise<{ account_id: string; attempt: number }[]> {
  const due = await run<DueRow>(findDue(STEPS, [], 100));
  const taken = await Promise.all(
    due.map(({ account_id: accountId, operation_id: operationId }) =>
      run<{ account_id: string; attempt: number }>(
        takeDue({ accountId, operationId }, STEPS, { leaseMs: 30_000, recoveryIntervalMs: 1_000 }),
      ),
    ),
  );
  return taken.flat();
}

it('the recoverer takes what is due and not what has the same place in another partition', async () => {
  const completed = await addRecord('idempotency_records_0', 'completed');
  const due = await addRecord('idempotency_records_1', 'running');
  expect([completed.partition, due.partition, completed.ctid]).toEqual(['idempotency_records_0', 'idempotency_records_1', due.ctid]);

  expect(await takeAllDue()).toMatchObject([{ account_id: due.account_id, attempt: 2 }]);
  expect(
    await database.query('SELECT account_id, attempt, lease_until FROM idempotency_records WHERE account_id = $1', [completed.account_id]),
  ).toEqual([{ account_id: completed.account_id, attempt: 1, lease_until: null }]);
});

it('and no more of it than it was told, each once, of two that look at the same moment', async () => {
  for (let each = 0; each < 20; each += 1) await addRecord(`idempotency_records_${each % 2}`, 'running');
  expect(new Set((await run<DueRow>(findDue(STEPS, [], 3))).map((row) => row.account_id)).size).toBe(3);
  const taken = (await Promise.all([takeAllDue(), takeAllDue()])).flat();
  expect(taken.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, () => 2));
  expect(new Set(taken.map((row) => row.account_id)).size).toBe(20);
});
