import type { DataSource } from 'typeorm';
import { SESSION_SETTINGS, spansServers } from '../idempotency/index.js';
import { isStated } from './client.js';

/** Limits of every session of the API's role in this database (PostgreSQL manual, sections 19.11 and 19.3.2). */
const LIMITS = {
  lock_timeout: '5s',
  statement_timeout: '15s',
  idle_in_transaction_session_timeout: '10s',
  // A client that was killed leaves its backend waiting for a lock; this ends it.
  client_connection_check_interval: '1s',
};

/** Limits that migrations don't have; the last one is new in PostgreSQL 17, and where others set it, it is theirs. */
export const UNLIMITED = [...Object.keys(LIMITS), 'transaction_timeout'];

/** Settings of the role in the database: PostgreSQL lets them win over those of the role, of the database and of the server. */
const ROLE_SETTINGS: [name: string, value: string][] = [
  ...Object.entries(LIMITS),
  ...SESSION_SETTINGS.filter(({ name, operators }) => !operators && !isStated(name)).map(({ name, wanted }): [string, string] => [
    name,
    wanted,
  ]),
];

/**
 * Of the role that policies act on: their condition makes a plan for given values look cheaper than it is, so that the server
 * would plan each statement at each execution, which is a tenth of what it spends on an order.
 */
export const PLANS: [name: string, value: string][] = [['plan_cache_mode', 'force_generic_plan']];

/** The role sets its settings itself: everybody may do that for himself, and an owner who is no superuser for nobody else. */
export async function setUpOneself(dataSource: DataSource, more: typeof PLANS = []): Promise<void> {
  const [names] = await dataSource.query<{ database: string }[]>('SELECT quote_ident(current_database()) AS database');
  // The plan of a distributed statement is made for its values: they say which server has the rows.
  const isCluster = await spansServers(dataSource);
  const changes = [
    ...ROLE_SETTINGS.map(([name, value]) => `SET ${name} = '${value}'`),
    ...more.map(([name, value]) => (isCluster ? `RESET ${name}` : `SET ${name} = '${value}'`)),
  ].map((change) => `ALTER ROLE SESSION_USER IN DATABASE ${names?.database} ${change}`);
  // In one packet: a pooler may give each packet to another session. The role may be set to become another one at login.
  await dataSource.query(['BEGIN', 'SET LOCAL ROLE NONE', ...changes, 'COMMIT'].join('; '));
}
