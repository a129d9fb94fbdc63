import { v7 as uuidv7 } from 'uuid';
import { takeDue } from '../../src/idempotency/steps/takeover.store.js';
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

it('the recoverer takes what is due and not what has the same place in another partition', async () => {
  const completed = await addRecord('idempotency_records_0', 'completed');
  const due = await addRecord('idempotency_records_1', 'running');
  expect([completed.partition, due.partition, completed.ctid]).toEqual(['idempotency_records_0', 'idempotency_records_1', due.ctid]);

  const { text, values } = takeDue({ limit: 10, limitOfAccount: 4, busy: new Map() }, ['payments.charge'], {
    leaseMs: 30_000,
    recoveryIntervalMs: 1_000,
  });
  expect(await database.query(text, values)).toMatchObject([{ account_id: due.account_id, attempt: 2 }]);
  expect(
    await database.query('SELECT account_id, attempt, lease_until FROM idempotency_records WHERE account_id = $1', [completed.account_id]),
  ).toEqual([{ account_id: completed.account_id, attempt: 1, lease_until: null }]);
});

it('and no more of it than it was told, whatever the plan', async () => {
  for (let each = 0; each < 20; each += 1) await addRecord(`idempotency_records_${each % 2}`, 'running');
  const { text, values } = takeDue({ limit: 3, limitOfAccount: 4, busy: new Map() }, ['payments.charge'], {
    leaseMs: 30_000,
    recoveryIntervalMs: 1_000,
  });
  const taken = await database.query<{ account_id: string }>(text, values);
  expect(new Set(taken.map(({ account_id }) => account_id)).size).toBe(3);
});
