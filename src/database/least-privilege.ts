import type { DataSource } from 'typeorm';
import { CommandFailure } from '../kernel/cli.js';
import type { Config } from '../kernel/config.js';

/**
 * What the session's role is and may become, by membership and not by name: what counts is who it can be, and one role may be
 * written in several ways. Of who logged in, since whatever role is set can be reset.
 */
const POWERS = `
  WITH place AS (
    SELECT c.oid, c.relowner AS owner, c.relnamespace AS schema,
           ARRAY(SELECT unnest(polroles) FROM pg_policy WHERE polrelid = c.oid AND polname = 'holdfast_background') AS background
      FROM pg_class c WHERE c.oid = 'orders'::regclass),
  parts AS (SELECT * FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER'))
  SELECT session_user::text AS role, NOT row_security_active(place.oid) AS bypasses,
         (SELECT CASE rolname WHEN session_user THEN '' ELSE format('may become %s, which ', rolname) END ||
                 CASE WHEN oid = owner THEN 'owns the tables' WHEN oid = ANY (background) THEN 'sees all accounts'
                      WHEN rolcreaterole THEN 'makes roles' ELSE 'bypasses policies' END
            FROM parts WHERE rolsuper OR rolbypassrls OR rolcreaterole OR oid = owner OR oid = ANY (background)
           ORDER BY rolname <> session_user, rolname LIMIT 1) AS beyond,
         (SELECT format('SCHEMA %s', schema::regnamespace) FROM parts WHERE has_schema_privilege(oid, schema, 'CREATE')
           UNION ALL
          SELECT format('DATABASE %I', current_database()) FROM parts WHERE has_database_privilege(oid, current_database(), 'CREATE')
           LIMIT 1) AS creates_in
    FROM place`;

interface Powers {
  role: string;
  /** Row-level security does not act for it. */
  bypasses: boolean;
  /** What it does that it must not, or who it may become. */
  beyond: string | null;
  /** Where it may make objects, as GRANT names the place. */
  creates_in: string | null;
}

/**
 * @throws CommandFailure in production where the role that serves requests has, or may give itself, more than one account at a
 * time: a superuser, the tables' owner, the background's role, a member of one of them, one that makes roles or tables; and the
 * database's error where there are no tables
 */
export async function assertLeastPrivilege(api: DataSource, { production }: Pick<Config, 'production'>): Promise<void> {
  const [powers] = await api.query<Powers[]>(POWERS);
  if (!powers || !production) return;
  const excess = excessOf(powers);
  if (excess) throw new CommandFailure(`DATABASE_URL: ${excess}.`);
}

function excessOf({ role, bypasses, beyond, creates_in: place }: Powers): string | null {
  const wanted = 'in production requests are served by a role that sees one account at a time';
  if (bypasses) return `row-level security does not act for the role ${role}; ${wanted}`;
  if (beyond) return `the role ${role} ${beyond}; ${wanted}`;
  if (place) return `the role ${role} may make objects; in production it may not: REVOKE CREATE ON ${place} FROM PUBLIC, ${role}`;
  return null;
}
