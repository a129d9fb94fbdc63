import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { migrations } from '../../packaging/core/migrations.js';
import { createDatabase, createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { packCore } from './install.js';

let databases: TestDatabase[];
beforeAll(async () => {
  databases = await Promise.all([createDatabase(), createDatabase(), createMigratedDatabase()]);
});
afterAll(() => Promise.all(databases.map((database) => database.drop())));

/** Everything of the core's that a database has: columns, constraints, indexes and functions, as PostgreSQL spells them. */
async function coreOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ line: string }>(`
    WITH core AS (SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'idempotency\\_%')
    SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attcollation,
                     pg_get_expr(adbin, adrelid)) AS line
      FROM core JOIN pg_attribute a ON a.attrelid = core.oid AND attnum > 0 AND NOT attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = core.oid AND d.adnum = a.attnum
    UNION ALL SELECT concat_ws(' ', relname, conname, pg_get_constraintdef(c.oid)) FROM core JOIN pg_constraint c ON conrelid = core.oid
    UNION ALL SELECT indexdef FROM core JOIN pg_indexes ON tablename = relname
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND (proname LIKE 'idempotency\\_%' OR proname LIKE 'speculation\\_%')`);
  return rows.map(({ line }) => line).sort();
}

it('a database with the packaged migrations, or with their SQL text, has of the core what this service has', async () => {
  const packed = packCore();
  const [byClasses, byText, service] = databases as [TestDatabase, TestDatabase, TestDatabase];
  const source = await new DataSource({ type: 'postgres', url: byClasses.url, migrations }).initialize();
  await source.runMigrations();
  await source.destroy();
  const folder = join(packed.directory, 'sql');
  for (const file of readdirSync(folder).sort()) await byText.query(readFileSync(join(folder, file), 'utf8'));
  packed.remove();
  const expected = await coreOf(service);
  expect(expected.length).toBeGreaterThan(50);
  expect(await coreOf(byClasses)).toEqual(expected);
  expect(await coreOf(byText)).toEqual(expected);
}, 180_000);
