import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection, Pool } from 'pg';

/** Variables of a sabotaged replica: the name of its saboteur, and a directory in which each seam proves itself. */
export const SABOTEUR = 'SABOTEUR';
export const PROOFS = 'SABOTEUR_PROOFS';

/** Says that what was changed has made a difference. */
type Used = () => void;

/**
 * Changes a public method of a class (by its prototype, or a static one by the class) for the whole process. The compiler
 * knows every name here, so that renaming it renames it here, and removing it is an error.
 */
export function override<Owner extends object, Name extends keyof Owner & string>(
  owner: Owner,
  name: Name,
  change: (original: Owner[Name], used: Used) => Owner[Name],
): void {
  const { name: className } = typeof owner === 'function' ? owner : owner.constructor;
  owner[name] = change(owner[name], proofOf(`${className}.${name}`));
}

/** The server gets another text for a named statement, with the same parameters; names of statements are stable. */
export function replaceStatement(name: string, text: string): void {
  const used = proofOf(`statement ${name}`);
  override(
    Connection.prototype,
    'parse',
    (parse, anyUsed) =>
      function (this: Connection, query, more) {
        anyUsed();
        if (query.name === name) used();
        parse.call(this, query.name === name ? { ...query, text } : query, more);
      },
  );
}

/** For what a saboteur does in the database by itself, outside of the service's connections. */
export async function runSql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  pool ??= new Pool({ connectionString: process.env['DATABASE_OWNER_URL'], max: 2 });
  return (await pool.query<Record<string, unknown>>(text, values)).rows;
}

let pool: Pool | undefined;

/** Of each seam that was changed in any replica of the directory, whether it was also used. */
export function readProofs(directory: string): Record<string, boolean> {
  return Object.fromEntries(readdirSync(directory).map((seam) => [seam, readFileSync(join(directory, seam), 'utf8').includes(USED)]));
}

const USED = 'used\n';

/** A file for each seam: it outlives a replica that is killed, and both replicas write to it. */
function proofOf(seam: string): Used {
  const file = join(process.env[PROOFS] ?? '', seam);
  appendFileSync(file, 'changed\n');
  let known = false;
  return () => {
    if (!known) appendFileSync(file, USED);
    known = true;
  };
}
