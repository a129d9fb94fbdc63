/** Rows of a table that go when their time has come. */
export interface Expiring {
  table: string;
  /** The column that tells the rows of an account apart. */
  key: string;
  /** The column with their time; an index has it, under the condition `which`. */
  time: string;
  /** SQL: which of the rows. */
  which?: string;
  /** SQL, the same throughout a statement: rows of this time and before go. $3 and on are parameters. */
  until: string;
  /** Columns that `alongside` needs of the rows that go. */
  returning?: string;
  /**
   * Parts of the WITH behind `gone`, which has the rows that go, each with a comma in front. `own(alias)`: a condition for every table in
   * there that lies by account, with AND behind it.
   */
  alongside?: (own: (alias: string) => string) => string;
}

/**
 * Deletes at most $1 rows whose time is $2 or later, in the order of that time, and returns one row: how many they were as `count`, and the
 * latest of their times as `newest`. $2 is where the batch before ended, so that none walks over what earlier ones have left in the index. SKIP
 * LOCKED lets every replica purge at once.
 *
 * The commit doesn't wait for the disk. A crash may undo the last batches, each as a whole: then their rows will be purged again.
 */
export function batchOf({ table, time, which = 'true', until, returning, alongside }: Expiring): string {
  const due = `${which} AND ${time} BETWEEN $2 AND ${until}`;
  return `
  WITH gone AS (
         DELETE FROM ${table}
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${due} ORDER BY ${time} LIMIT $1 FOR UPDATE SKIP LOCKED)) AND ${due}
         RETURNING ${returning ?? time})${alongside?.(() => '') ?? ''}
  SELECT count(*)::int AS count, max(${time}) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;
}

/** The same rows, found and not deleted: `account_id`, `key`, `time`. For tables on several servers, which no statement can lock rows of at once. */
export function findOf({ table, key, time, which = 'true', until }: Expiring): string {
  return `SELECT account_id, ${key} AS key, ${time} AS time FROM ${table} WHERE ${which} AND ${time} BETWEEN $2 AND ${until} ORDER BY ${time} LIMIT $1`;
}

/** Deletes those of account $1 with the keys $2, unless somebody has them, and returns how many they were as `count`. */
export function dropOf({ table, key, time, which = 'true', until, returning, alongside }: Expiring): string {
  return `
  WITH gone AS (
         DELETE FROM ${table}
          WHERE account_id = $1
            AND ${key} = ANY (ARRAY (SELECT ${key} FROM ${table} WHERE account_id = $1 AND ${key} = ANY ($2) AND ${which} AND ${time} <= ${until}
                                        FOR UPDATE SKIP LOCKED))
         RETURNING ${returning ?? time})${alongside?.((alias) => `${alias}.account_id = $1 AND`) ?? ''}
  SELECT count(*)::int AS count, set_config('synchronous_commit', 'off', true) FROM gone`;
}
