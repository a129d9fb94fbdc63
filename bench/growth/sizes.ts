import type { Database } from './stage.js';

/** Bytes on the disk of the table of records and of each of its indexes. */
export interface TableSizes {
  tableBytes: number;
  indexBytes: Record<string, number>;
}

/** How much the server has written to its log since it was made, in bytes. */
export async function walPosition(database: Database): Promise<number> {
  const [row] = await database.query<{ bytes: number }>(`SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes`);
  return row?.bytes ?? Number.NaN;
}

export async function sizesOf(database: Database): Promise<TableSizes> {
  const rows = await database.query<{ name: string; bytes: number }>(`
    SELECT relname AS name, pg_table_size(oid)::float8 AS bytes FROM pg_class
     WHERE relname = 'idempotency_records'
        OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'idempotency_records'::regclass) ORDER BY 1`);
  const { idempotency_records: tableBytes = Number.NaN, ...indexBytes } = Object.fromEntries(rows.map(({ name, bytes }) => [name, bytes]));
  return { tableBytes, indexBytes };
}
