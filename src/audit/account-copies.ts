import type { DatabaseClient } from '../database/client.js';

/** Tables that the checks read. */
const TABLES = [
  'idempotency_records',
  'idempotency_archive',
  'orders',
  'order_items',
  'tickets',
  'products',
  'stock_changes',
  'payments',
  'refunds',
  'payment_decisions',
  'restored_charges',
  'events',
];

/** Columns that no check compares, and that are large. */
const LEFT_OUT = `'{response_body,response_headers,data}'::text[]`;

/** In the session's own schema, which is searched first: what follows finds these by the names of the tables. */
const MAKE_COPIES = [
  ...TABLES.map((table) => `CREATE TEMP TABLE ${table} AS TABLE ${table} WITH NO DATA`),
  'CREATE TEMP TABLE audit_rows (of_table text, row jsonb)',
];

/** All rows of account $1 by one statement, which one server answers, and so as they are at one moment. */
const readAccount = (schema: string): string => `
  INSERT INTO audit_rows
  ${TABLES.map((table) => `SELECT '${table}', to_jsonb(t) - ${LEFT_OUT} FROM ${schema}.${table} t WHERE t.account_id = $1`).join(' UNION ALL ')}`;

const fill = (table: string): string => `
  INSERT INTO pg_temp.${table} SELECT r.* FROM audit_rows a, jsonb_populate_record(NULL::pg_temp.${table}, a.row) AS r WHERE a.of_table = '${table}'`;

/**
 * Copies of the tables for audits where those lie on several servers, which no statement sees at one moment: each account is compared as its
 * own server shows it at one. They take as much room as the tables without the stored answers, at the server that the session entered by.
 */
export class AccountCopies {
  private constructor(
    private readonly client: DatabaseClient,
    private readonly schema: string,
  ) {}

  /** Makes them, empty, in the place of the tables. @throws the database's error */
  static async make(client: DatabaseClient): Promise<AccountCopies> {
    const { rows } = await client.query<{ schema: string }>('SELECT quote_ident(current_schema()) AS schema');
    for (const statement of MAKE_COPIES) await client.query(statement);
    return new AccountCopies(client, rows[0]?.schema ?? 'public');
  }

  /** Fills them, account by account. @throws the database's error */
  async fill(): Promise<void> {
    const { rows: accounts } = await this.client.query<{ id: string }>('SELECT id FROM accounts ORDER BY id');
    for (const { id } of accounts) {
      await this.client.query(readAccount(this.schema), [id]);
      for (const table of TABLES) await this.client.query(fill(table));
      await this.client.query('TRUNCATE audit_rows');
    }
    for (const table of TABLES) await this.client.query(`ANALYZE pg_temp.${table}`);
  }
}
