import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { ENTITIES } from '../../src/entities.js';
import { databaseOptions } from '../../src/database/data-source.js';
import { run } from '../support/built-process.js';
import { createDatabase, createMigratedDatabase, type TestDatabase } from '../support/database.js';

/**
 * Every column, constraint and index by name and definition: the parts of a schema that code relies on. TypeORM writes the
 * default 0 of a bigint as '0'::bigint, which is the same.
 */
const DEFINITIONS = `
  SELECT concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                   'DEFAULT ' || regexp_replace(pg_get_expr(d.adbin, d.adrelid), '^''(\\d+)''::bigint$', '\\1'), 'COLLATE ' || nullif(o.collname, 'default')) AS definition
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migrations' AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  -- NOT NULL, a constraint of its own from PostgreSQL 18 on, stands with the column.
  SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
   WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 'migrations'::regclass
  UNION ALL
  SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migrations'
   ORDER BY 1`;

let migrated: TestDatabase;
let empty: TestDatabase;
let opened: DataSource[] = [];

async function open(database: TestDatabase): Promise<DataSource> {
  const dataSource = await new DataSource(databaseOptions(database.url, 2, ENTITIES)).initialize();
  opened.push(dataSource);
  return dataSource;
}

async function definitions(dataSource: DataSource): Promise<string[]> {
  return (await dataSource.query<{ definition: string }[]>(DEFINITIONS)).map((row) => row.definition);
}

beforeEach(async () => {
  [migrated, empty] = await Promise.all([createMigratedDatabase(), createDatabase()]);
});

afterEach(async () => {
  await Promise.all(opened.map((dataSource) => dataSource.destroy()));
  opened = [];
  await Promise.all([migrated.drop(), empty.drop()]);
});

describe('entities and migrations say the same', () => {
  it('TypeORM finds nothing to change in a migrated database', async () => {
    const dataSource = await open(migrated);
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  // The check above compares checks and partial indexes by name alone; here PostgreSQL spells out both sides.
  it('a database made from the entities is the migrated one, to the letter', async () => {
    const fromMigrations = await open(migrated);
    const fromEntities = await open(empty);
    await fromEntities.query('CREATE TABLE migrations ()');
    await fromEntities.synchronize();
    expect(await definitions(fromEntities)).toEqual(await definitions(fromMigrations));
  });
});

it('every migration can be undone, and applied again', async () => {
  const dataSource = await open(migrated);
  const before = await definitions(dataSource);
  expect(before.length).toBeGreaterThan(50);
  for (const _ of dataSource.migrations) await dataSource.undoLastMigration({ transaction: 'each' });
  expect(await definitions(dataSource)).toEqual([]);
  const applied = await dataSource.runMigrations({ transaction: 'each' });
  expect(applied).toHaveLength(dataSource.migrations.length);
  expect(await definitions(dataSource)).toEqual(before);
});

describe('npm run migrate', () => {
  const migrate = (url: string) => run('src/database/migrate.cli.js', [], { DATABASE_URL: url, CI: 'true' });

  it('applies what is missing, tells it, and does nothing the second time', async () => {
    const first = await migrate(empty.url);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const [applied] = await empty.query<{ names: string[] }>('SELECT array_agg(name ORDER BY id) AS names FROM migrations');
    const lines = applied?.names.map((name) => `applied ${name}\n`) ?? [];
    const count = lines.length;
    expect(first.stdout).toBe(`${lines.join('')}The database is up to date: ${count} applied, ${count} in all.\n`);
    const second = await migrate(empty.url);
    expect([second.code, second.stdout]).toEqual([0, `The database is up to date: nothing to do, ${count} in all.\n`]);
  });

  it('says in a sentence what is in the way, and keeps the password to itself', async () => {
    const { code, stdout, stderr } = await migrate('postgres://holdfast:hunter2@127.0.0.1:1/holdfast');
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      'The database of DATABASE_URL cannot be used: nothing listens at its address (127.0.0.1:1).\n',
    ]);
  });
});
