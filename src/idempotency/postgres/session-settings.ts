import type { DataSource } from 'typeorm';

/** A setting of the session that the statements rely on. */
export interface SessionSetting {
  readonly name: string;
  /** The values that are right, as a regular expression of PostgreSQL. */
  readonly accepts: string;
  /** The value to set where it is wrong, as text for people where no client can set it. */
  readonly wanted: string;
  /** True: within `accepts` the operator decides, so nobody overwrites what is set. */
  readonly operators?: true;
}

/**
 * Everything in the manual's chapter 19 that a role, a database or the server may set and that changes what a statement means,
 * whether its effect stays, or how its result is read. What is missing here was looked at: it changes speed or what is logged, or
 * the statements don't depend on it (IntervalStyle, bytea_output, TimeZone, standard_conforming_strings, transform_null_equals).
 */
export const SESSION_SETTINGS: readonly SessionSetting[] = [
  // node-postgres reads no other form of a time.
  { name: 'DateStyle', accepts: '^ISO', wanted: 'ISO' },
  { name: 'client_encoding', accepts: '^UTF8$', wanted: 'UTF8' },
  { name: 'server_encoding', accepts: '^UTF8$', wanted: "UTF8, by CREATE DATABASE … ENCODING 'UTF8'", operators: true },
  // The statements of a claim each need a snapshot of their own.
  { name: 'default_transaction_isolation', accepts: '^read (un)?committed$', wanted: 'read committed' },
  { name: 'default_transaction_read_only', accepts: '^off$', wanted: 'off', operators: true },
  // A lost commit is a request that runs twice; which standbys a commit waits for is the operator's.
  { name: 'synchronous_commit', accepts: '^(on|local|remote_write|remote_apply)$', wanted: 'on', operators: true },
  // Below zero, what is left of a window is rounded to hours.
  { name: 'extra_float_digits', accepts: '^[0-3]$', wanted: '1' },
  // A constraint that is violated is an answer, and no reason to end the session.
  { name: 'exit_on_error', accepts: '^off$', wanted: 'off' },
  // Off, a statement that a policy would hide rows from is an error.
  { name: 'row_security', accepts: '^on$', wanted: 'on' },
  { name: 'array_nulls', accepts: '^on$', wanted: 'on' },
  // Else foreign keys are not checked; a superuser's to set.
  { name: 'session_replication_role', accepts: '^(origin|local)$', wanted: 'origin', operators: true },
  // Else a schema may hold another now() than PostgreSQL's.
  { name: 'search_path', accepts: '^(?!.*, *"?pg_catalog)', wanted: 'a list with pg_catalog in front or without it', operators: true },
];

/**
 * Refuses a database whose sessions are not as the statements need them.
 * @throws Error naming every setting that is wrong, its value and what it must be
 */
export async function assertSession(dataSource: DataSource): Promise<void> {
  const wrong = await dataSource.query<{ name: string; value: string }[]>(
    `SELECT name, current_setting(name) AS value FROM unnest($1::text[], $2::text[]) AS setting (name, accepts)
      WHERE current_setting(name) !~ accepts`,
    [SESSION_SETTINGS.map(({ name }) => name), SESSION_SETTINGS.map(({ accepts }) => accepts)],
  );
  if (wrong.length === 0) return;
  const told = SESSION_SETTINGS.flatMap(({ name, wanted }) => {
    const found = wrong.find((row) => row.name === name);
    return found ? [`${name} is ${found.value} and must be ${wanted}`] : [];
  });
  throw new Error(
    `The database's sessions are not as they have to be: ${told.join('; ')}. ` +
      'Change it where it is set: ALTER ROLE … IN DATABASE … SET, ALTER ROLE, ALTER DATABASE, the options of the URL, or postgresql.conf.',
  );
}
