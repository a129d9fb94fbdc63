import type { DataSource } from 'typeorm';

/** What a database holds, and what else was looked at. */
export interface State {
  /** By table, or by what stands outside the database: one text for one content. */
  contents: Map<string, string>;
  /** Rows of each table, and the sum of each of its numeric columns. */
  figures: Map<string, number>;
}

interface Column {
  table: string;
  name: string | null;
}

/** The application's tables: the core's own are not looked at. */
const COLUMNS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS table, quote_ident(a.attname) AS name
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                            AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'float4'::regtype, 'float8'::regtype)
   WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
     AND c.relname NOT LIKE 'idempotency\\_%'
   ORDER BY 1, 2`;

/** Looks at all of it. @throws the database's error, where the data source may not read a table */
export async function stateOf(dataSource: DataSource, observe: () => unknown): Promise<State> {
  const columns = await dataSource.query<Column[]>(COLUMNS);
  const state: State = { contents: new Map(), figures: new Map() };
  for (const table of new Set(columns.map((column) => column.table))) {
    const numeric = columns.filter((column) => column.table === table && column.name !== null).map(({ name }) => name);
    const sums = numeric.map((name, at) => `, coalesce(sum(t.${name}), 0)::float8 AS sum_${at}`).join('');
    const text = `SELECT count(*)::float8 AS rows, coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS content${sums} FROM ${table} t`;
    const [row] = await dataSource.query<Record<string, string | number>[]>(text);
    state.contents.set(table, String(row?.['content']));
    state.figures.set(`rows of ${table}`, Number(row?.['rows']));
    for (const [at, name] of numeric.entries()) state.figures.set(`the sum of ${table}.${name}`, Number(row?.[`sum_${at}`]));
  }
  state.contents.set('what observe() gives', JSON.stringify(await observe()) ?? '');
  return state;
}

/** What is not the same any more. */
export function changedBetween(before: State, after: State): string[] {
  return [...after.contents].filter(([name, content]) => before.contents.get(name) !== content).map(([name]) => name);
}

/** By how much each figure has changed. */
export function effectBetween(before: State, after: State): Map<string, number> {
  return new Map([...after.figures].map(([name, value]) => [name, value - (before.figures.get(name) ?? 0)]));
}
