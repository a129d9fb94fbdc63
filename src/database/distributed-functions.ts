import type { EntityManager } from 'typeorm';
import { LOCKING_FUNCTIONS } from '../idempotency/index.js';

/** Statements that are answered by another server name the functions. */
export const KNOW_FUNCTION = 'SELECT create_distributed_function($1)';

/** Has a function run on the server that has the rows of the account which it is told first; `$2`: a table that lies by account. */
const RUN_WHERE_ROWS_ARE = `SELECT create_distributed_function($1, 'account', colocate_with => $2, force_delegation => true)`;

/** Functions of the schema, one that calls another behind it; triggers take theirs along. */
const FIND_FUNCTIONS = `
  SELECT oid::regprocedure::text AS signature, proargnames[1] = 'account' AND provolatile = 'v' AS "isOfAccount"
    FROM pg_proc p
   WHERE pronamespace = to_regnamespace(quote_ident(current_schema())) AND prokind = 'f' AND prorettype <> 'trigger'::regtype
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
   ORDER BY oid`;

/** Other servers are not told whose transaction it is, so nothing but the name of the account says which rows a function may touch. */
const IS_ENTERED = `
  CREATE OR REPLACE FUNCTION idempotency_is_entered(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT true $$`;

/** Whose rows say which transactions came before them does so where they lie: only there its number can be compared with those of others. */
const NUMBERED: Record<string, string> = {
  events: 'NEW.transaction_id := pg_current_xact_id()::text::bigint;',
  webhook_endpoints: 'NEW.position_transaction := pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1;',
};

/** Makes the schema's functions known to each server, and those of an account run where its rows are. `first`: a table that lies by account. */
export async function distributeFunctions(manager: EntityManager, first: string): Promise<void> {
  for (const definition of [IS_ENTERED, ...LOCKING_FUNCTIONS]) await manager.query(definition);
  const functions = await manager.query<{ signature: string; isOfAccount: boolean }[]>(FIND_FUNCTIONS);
  for (const { signature, isOfAccount } of functions) {
    if (isOfAccount) await manager.query(RUN_WHERE_ROWS_ARE, [signature, first]);
    else await manager.query(KNOW_FUNCTION, [signature]);
  }
  for (const [table, number] of Object.entries(NUMBERED)) {
    const name = `${table}_numbered`;
    await manager.query(`CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${number} RETURN NEW; END $$`);
    await manager.query(`CREATE OR REPLACE TRIGGER ${name} BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}()`);
  }
}
