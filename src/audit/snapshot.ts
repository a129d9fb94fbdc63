import type { DatabaseClient } from '../database/client.js';
import { spansServers } from '../idempotency/index.js';
import { connectPastPoolers, endSession, type NamedUrl } from '../database/own-session.js';
import { ORDERS_PATH } from '../orders/order.dto.js';
import { PAYMENTS_PATH, REFUNDS_PATH } from '../payments/payment-replies.js';
import { TICKETS_PATH } from '../tickets/ticket.dto.js';
import { AccountCopies } from './account-copies.js';
import type { Check, Finding, Findings } from './check.js';
import type { LedgerEntry } from '../payments/provider/ledger.js';

/** Entries of the ledger that travel at once. */
const LEDGER_BATCH = 5_000;
/** Rows of a check that travel at once, and how many of them are kept. */
const PAGE = 1_000;

/**
 * What the checks read beside the tables. All of it is the session's own and goes with it, so the auditor writes nothing
 * that anybody else sees. The ledger is read before the database's picture is taken, so they can't share a transaction.
 */
const PREPARE = `
  SET statement_timeout = '30min';
  SET lock_timeout = '10s';
  SET idle_in_transaction_session_timeout = '5min';

  -- A TypeID: the uuid's 128 bits and two leading zeros, in 26 digits of five bits (Crockford's alphabet).
  CREATE FUNCTION pg_temp.public_id(prefix text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT prefix || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', substring(bits FROM n FOR 5)::bit(5)::int + 1, 1), '' ORDER BY n)
      FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128) AS bits) AS uuid, generate_series(1, 126, 5) AS n
  $$;

  CREATE TEMP TABLE audit_times (ledger_read timestamptz, horizon timestamptz, long_ago timestamptz);
  CREATE TEMP TABLE audit_ledger (kind text, id text, reference text, amount bigint, currency text, charge_id text, made_at text, origin text);
  CREATE TEMP TABLE audit_resources (account_id uuid, kind text, path text, operation_id uuid, created_at timestamptz);
  CREATE TEMP VIEW audit_operations AS
    SELECT account_id, operation_id, operation, status, resource, response_status FROM idempotency_records
    UNION ALL
    SELECT account_id, operation_id, operation, 'completed', resource, response_status FROM idempotency_archive;
  -- Made in place of what a restore lost, and by no operation until its key is used again.
  CREATE TEMP VIEW audit_restored AS
    SELECT r.account_id, '${PAYMENTS_PATH}/' || pg_temp.public_id('pay', r.payment_id) AS payment,
           '${REFUNDS_PATH}/' || pg_temp.public_id('re', f.id) AS refund
      FROM restored_charges r LEFT JOIN refunds f ON f.account_id = r.account_id AND f.reference = r.refund_reference;
`;

/** Rows under the paths by which operations name them. */
const NAME_RESOURCES = `
  INSERT INTO audit_resources
  SELECT account_id, 'order', '${ORDERS_PATH}/' || pg_temp.public_id('ord', id), NULL::uuid, created_at FROM orders
  UNION ALL SELECT account_id, 'ticket', '${TICKETS_PATH}/' || pg_temp.public_id('tkt', id), NULL, created_at FROM tickets
  UNION ALL SELECT account_id, 'payment', '${PAYMENTS_PATH}/' || pg_temp.public_id('pay', id), operation_id, created_at FROM payments
  UNION ALL SELECT account_id, 'refund', '${REFUNDS_PATH}/' || pg_temp.public_id('re', id), operation_id, created_at FROM refunds`;

const ADD_ENTRIES = `
  INSERT INTO audit_ledger SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])`;

/** Ages that the checks compare with, in milliseconds, and what ends the session early. */
export interface SnapshotSettings {
  /** What is older may have left the archive. */
  archiveMs: number;
  /** An operation that runs for longer is worth a word. */
  longMs: number;
  signal?: AbortSignal | undefined;
}

/** A session of its own for an audit. @throws CommandFailure where each address leads through a pooler */
export function connectForAudit(addresses: readonly NamedUrl[]): Promise<DatabaseClient> {
  return connectPastPoolers(addresses, 'An audit needs', { application_name: 'holdfast-audit', connectionTimeoutMillis: 5_000 });
}

/** One picture of the provider's ledger and, taken after it, one of the database. */
export class Snapshot {
  private constructor(
    private readonly client: DatabaseClient,
    private readonly release: () => Promise<void>,
  ) {}

  /** Connects, reads the ledger, and then opens the transaction that all checks read in. */
  static async take(
    addresses: readonly NamedUrl[],
    ledger: AsyncIterable<LedgerEntry> | null,
    settings: SnapshotSettings,
  ): Promise<Snapshot> {
    const { archiveMs, longMs, signal } = settings;
    signal?.throwIfAborted();
    const client = await connectForAudit(addresses);
    // With a query under way this closes the connection, and the query fails.
    const cutOff = (): void => void client.end();
    signal?.addEventListener('abort', cutOff);
    const release = async (): Promise<void> => {
      signal?.removeEventListener('abort', cutOff);
      await endSession(client);
    };
    try {
      signal?.throwIfAborted();
      await prepare(client, ledger, { archiveMs, longMs });
      return new Snapshot(client, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Where the check doesn't hold, a page at a time. */
  async find({ kind, sql }: Check): Promise<Findings> {
    const places: Finding[] = [];
    let count = 0;
    await this.client.query(
      `DECLARE found NO SCROLL CURSOR FOR
       SELECT CASE WHEN account_id IS NULL THEN NULL ELSE pg_temp.public_id('acct', account_id) END AS account, subject, detail FROM (${sql}) AS f`,
    );
    for (let rows = PAGE; rows === PAGE; count += rows) {
      const page = await this.client.query<Omit<Finding, 'kind'>>(`FETCH ${PAGE} FROM found`);
      rows = page.rows.length;
      if (places.length < PAGE) places.push(...page.rows.map(({ account, subject, detail }) => ({ kind, account, subject, detail })));
    }
    await this.client.query('CLOSE found');
    return { kind, count, places };
  }

  /** The number that a query's only row has under `count`. */
  async count(sql: string): Promise<number> {
    return (await this.client.query<{ count: number }>(sql)).rows[0]?.count ?? 0;
  }

  /** Ends the session and all that belongs to it. */
  async close(): Promise<void> {
    await this.release();
  }
}

async function prepare(
  client: DatabaseClient,
  ledger: AsyncIterable<LedgerEntry> | null,
  { archiveMs, longMs }: Pick<SnapshotSettings, 'archiveMs' | 'longMs'>,
): Promise<void> {
  const isSpread = await spansServers({ query: async <T>(text: string) => (await client.query(text)).rows as T });
  const copies = isSpread ? await AccountCopies.make(client) : undefined;
  await client.query(PREPARE);
  await client.query(
    `INSERT INTO audit_times SELECT now, now - $1 * interval '1 ms', now - $2 * interval '1 ms' FROM (SELECT clock_timestamp() AS now) AS c`,
    [archiveMs, longMs],
  );
  if (ledger) await load(client, ledger);
  await client.query('ANALYZE audit_ledger');
  await copies?.fill();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // Even a transaction that reads only may fill temporary tables.
  await client.query(NAME_RESOURCES);
  await client.query('ANALYZE audit_resources');
}

async function load(client: DatabaseClient, ledger: AsyncIterable<LedgerEntry>): Promise<void> {
  let batch: LedgerEntry[] = [];
  const send = async (): Promise<void> => {
    const column = (of: (entry: LedgerEntry) => unknown): unknown[] => batch.map(of);
    await client.query(ADD_ENTRIES, [
      column(({ chargeId }) => (chargeId === null ? 'charge' : 'refund')),
      column(({ id }) => id),
      column(({ reference }) => reference),
      column(({ amount }) => amount),
      column(({ currency }) => currency),
      column(({ chargeId }) => chargeId),
      column(({ createdAt }) => createdAt),
      column(
        ({ origin: { account, order, payment, operation } }) => [account, order, payment, operation].filter(Boolean).join(' ') || null,
      ),
    ]);
    batch = [];
  };
  for await (const entry of ledger) {
    batch.push(entry);
    if (batch.length === LEDGER_BATCH) await send();
  }
  await send();
}
