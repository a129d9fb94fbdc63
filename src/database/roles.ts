import type { DataSource } from 'typeorm';
import { ACCOUNT_SETTING, spansServers } from '../idempotency/index.js';
import { CommandFailure } from '../kernel/cli.js';

/**
 * What the two roles may do with each table, by the first letters of SELECT, INSERT, UPDATE and DELETE; with tables that are
 * not here, nothing. `api` serves requests and drives steps, for one account at a time. `background` finds what is due, purges,
 * looks API keys up, counts requests, and reads the provider's books, for all accounts. API keys are made by the owner.
 */
export const PRIVILEGES: Readonly<Record<string, { api: string; background: string }>> = {
  migrations: { api: 'S', background: 'S' },
  accounts: { api: '', background: 'S' },
  api_keys: { api: '', background: 'S' },
  rate_limits: { api: '', background: 'SIUD' },
  products: { api: 'SIU', background: 'S' },
  stock_changes: { api: 'SI', background: 'S' },
  orders: { api: 'SIU', background: 'S' },
  order_items: { api: 'SI', background: 'S' },
  tickets: { api: 'SIU', background: 'S' },
  payments: { api: 'SIU', background: 'SU' },
  refunds: { api: 'SIU', background: 'SIU' },
  payment_decisions: { api: 'SIUD', background: 'SI' },
  payments_gate: { api: 'S', background: 'S' },
  restored_charges: { api: 'S', background: 'S' },
  provider_events: { api: '', background: 'SIUD' },
  events: { api: 'SI', background: 'SID' },
  webhook_endpoints: { api: 'SIUD', background: 'SU' },
  webhook_deliveries: { api: 'SIUD', background: 'SIUD' },
  idempotency_records: { api: 'SIU', background: 'SIUD' },
  idempotency_replays: { api: 'S', background: 'SIUD' },
  idempotency_timeline: { api: 'SI', background: 'SID' },
  idempotency_archive: { api: 'S', background: 'SIUD' },
};

const VERBS: Record<string, string> = { S: 'SELECT', I: 'INSERT', U: 'UPDATE', D: 'DELETE' };

/** Beside these, EXECUTE is PUBLIC's. */
const FUNCTIONS = [
  'speculation_failed',
  'product_changed',
  'idempotency_take_back',
  'idempotency_make_room',
  'idempotency_trim_timeline',
  'payments_take_back',
  'current_server',
];

/** Names of the roles; the same one twice where it does all that is not the owner's. */
export interface Roles {
  api: string;
  background: string;
}

const TABLES = `
  tables AS (
    SELECT c.oid, c.relname AS name, c.relacl AS acl, c.relowner AS owner, c.relrowsecurity AS secured,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped) AS is_owned
      FROM pg_class c
     WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE'))`;

/** What is missing and what is too much; the owner of the tables keeps what is his. */
const GRANTS = `
  WITH ${TABLES},
  wanted AS (
    SELECT w.role, w.verb, t.oid FROM jsonb_to_recordset($1) AS w (name text, role text, verb text) JOIN tables t USING (name)
     WHERE NOT pg_has_role(w.role, t.owner, 'USAGE')),
  held AS (
    SELECT r.rolname::text AS role, a.privilege_type AS verb, t.oid
      FROM tables t, aclexplode(t.acl) a JOIN pg_roles r ON r.oid = a.grantee
     WHERE r.rolname = ANY ($2) AND a.grantee <> t.owner AND t.name IN (SELECT name FROM jsonb_to_recordset($1) AS w (name text)))
  SELECT format('GRANT %s ON %s TO %I', verb, oid::regclass, role) AS sql FROM (TABLE wanted EXCEPT TABLE held) missing
  UNION ALL
  SELECT format('REVOKE %s ON %s FROM %I', verb, oid::regclass, role) FROM (TABLE held EXCEPT TABLE wanted) surplus
  UNION ALL
  SELECT format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role) FROM unnest($2::text[]) AS role
   WHERE NOT has_schema_privilege(role, current_schema(), 'USAGE')
  UNION ALL
  SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, role) FROM pg_proc p, unnest($2::text[]) AS role
   WHERE p.pronamespace = to_regnamespace(quote_ident(current_schema())) AND p.proname = ANY ($3) AND NOT has_function_privilege(role, p.oid, 'EXECUTE')
  UNION ALL
  -- Nobody but the owner makes tables beside his; on PostgreSQL 14 everybody may in the schema public. Where that is somebody
  -- else's, he has to.
  SELECT format('REVOKE CREATE ON %s FROM %s', place, coalesce(quote_ident(r.rolname), 'PUBLIC'))
    FROM (SELECT format('SCHEMA %I', nspname), nspowner, nspacl FROM pg_namespace WHERE nspname = current_schema()
           UNION ALL
          SELECT format('DATABASE %I', datname), datdba, datacl FROM pg_database WHERE datname = current_database()) p (place, owner, acl),
         aclexplode(acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
   WHERE a.privilege_type = 'CREATE' AND pg_has_role(owner, 'USAGE') AND a.grantee <> owner
     AND (a.grantee = 0 OR r.rolname = ANY ($2) AND r.rolname <> current_user)
  UNION ALL
  -- An audit keeps what it compares in temporary tables.
  SELECT format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), $4::text)
   WHERE NOT has_database_privilege($4, current_database(), 'TEMPORARY')`;

/**
 * Row-level security with policies that name their roles: BYPASSRLS is nothing that an ordinary owner can grant. After a
 * session's first transaction the setting is '' and not null.
 */
const POLICIES = `
  WITH ${TABLES},
  wanted (policy, role, condition) AS (VALUES
    ('holdfast_api', $1::text, 'account_id = nullif(current_setting(''${ACCOUNT_SETTING}'', true), '''')::uuid'),
    ('holdfast_background', $2::text, 'true')),
  state AS (
    SELECT t.oid, w.*, p.oid IS NOT NULL AS exists, p.polroles = ARRAY[r.oid] AS fits
      FROM tables t CROSS JOIN wanted w JOIN pg_roles r ON r.rolname = w.role
      LEFT JOIN pg_policy p ON p.polrelid = t.oid AND p.polname = w.policy
     WHERE t.is_owned)
  SELECT format('CREATE POLICY %I ON %s TO %I USING (%s)', policy, oid::regclass, role, condition) AS sql FROM state WHERE NOT exists
  UNION ALL
  SELECT format('ALTER POLICY %I ON %s TO %I', policy, oid::regclass, role) FROM state WHERE exists AND NOT fits
  UNION ALL
  SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', oid::regclass) FROM tables WHERE is_owned AND NOT secured`;

/**
 * Lets the roles do what they are for, takes away what is more, and shows the one that serves requests the rows of the
 * account alone that its transaction names. Asks for no lock on a table where all is so already.
 * @throws CommandFailure naming the statement that the owner may not run
 */
export async function setUpRoles(owner: DataSource, roles: Roles): Promise<void> {
  await runEach(owner, GRANTS, [JSON.stringify(privilegesOf(roles)), [...new Set(Object.values(roles))], FUNCTIONS, roles.background]);
  // Policies know the account by a setting of the session, which a cluster's other servers are not told.
  if (!(await spansServers(owner))) await runEach(owner, POLICIES, [roles.api, roles.background]);
}

function privilegesOf({ api, background }: Roles): { name: string; role: string; verb: string }[] {
  const privileges = new Map<string, { name: string; role: string; verb: string }>();
  for (const [name, each] of Object.entries(PRIVILEGES)) {
    for (const [role, letters] of [
      [api, each.api],
      [background, each.background],
    ] as const) {
      for (const letter of letters) privileges.set(`${name} ${role} ${letter}`, { name, role, verb: VERBS[letter] ?? '' });
    }
  }
  return [...privileges.values()];
}

/** In one transaction, so that no other session sees a table that is secured and has no policy yet. */
async function runEach(owner: DataSource, plan: string, values: unknown[]): Promise<void> {
  await owner.transaction(async (manager) => {
    const statements = (): Promise<{ sql: string }[]> => manager.query(plan, values);
    for (const { sql } of await statements()) await manager.query(sql).catch((error: unknown) => refuse(sql, error));
    // Of what the owner holds a part only, PostgreSQL grants and revokes nothing with a warning (manual, GRANT, Notes).
    for (const { sql } of await statements()) refuse(sql, new Error('it changes nothing'));
  });
}

function refuse(sql: string, error: unknown): never {
  throw new CommandFailure(`The owner of the tables may not run ${JSON.stringify(sql)}: ${(error as Error).message}.`, { cause: error });
}
