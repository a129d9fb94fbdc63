/**
 * One thing that must hold, as a query for where it doesn't. It returns `account_id` (null where none is known),
 * `subject` (the public name of what is wrong) and `detail`, and may read what `snapshot.ts` prepares beside the tables.
 */
export interface Check {
  /** The metric's label, and the first word of the report's line. */
  readonly kind: string;
  readonly sql: string;
  /** Compares with what only the archive remembers, so it means nothing where a late request replaces its record. */
  readonly needsArchive?: true;
}

/** A place where a check doesn't hold. */
export interface Finding {
  kind: string;
  /** Public id, null where nobody knows it. */
  account: string | null;
  subject: string;
  detail: string;
}

/** What one check found: how often it doesn't hold, and the first thousand places. */
export interface Findings {
  kind: string;
  count: number;
  places: Finding[];
}
