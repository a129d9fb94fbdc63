/**
 * One thing that must hold, as a query for where it doesn't. It returns `account_id` (null where none is known),
 * `subject` (the public name of what is wrong) and `detail`, and reads what `session.ts` prepares: the views and tables
 * `audit_…`, and the function `public_id(prefix, uuid)`.
 */
export interface Check {
  /** The label of the metric and the first word of the report's line. */
  readonly kind: string;
  readonly sql: string;
  /** Compares with what only the archive remembers, so it holds only while that forgets nothing on request. */
  readonly needsArchive?: true;
}

/** A place where a check doesn't hold. */
export interface Finding {
  kind: string;
  /** uuid */
  accountId: string | null;
  subject: string;
  detail: string;
}
