import { readFileSync, readdirSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(__dirname, '../..');

/** Spread by something else than an account, or a copy on each server; the temporary ones of an audit are on one. */
const OF_NO_ACCOUNT = new Set(['rate_limits', 'provider_events', 'accounts', 'api_keys', 'payments_gate']);
/** Statements for tables on one server, beside others for those on several. */
const ONE_SERVER = [/^WITH gone AS \(\s*DELETE FROM «table»\s+WHERE ctid/, /^WITH gone AS \(\s*DELETE FROM events/];

/** What an UPDATE or DELETE of rows on another server may not ask anywhere in it, since each copy of a row would get another answer. */
const VOLATILE = /\b(clock_timestamp|random|gen_random_uuid|pg_current_xact_id)\s*\(/;
/** Nor what is the same in one statement only, within a condition. */
const STABLE = /\b(now|statement_timestamp|to_timestamp|make_interval|to_char|to_jsonb|extract|current_setting)\s*\(/;
/** Nor that of a column: adding an interval to a time depends on the time zone. */
const OF_A_COLUMN = /\b\w+_(at|until|since)\s*[+-]\s*(interval|\$|make_interval)/;

/** The texts of a file, each with what it takes from constants of the file in its place, and «name» for what it takes from elsewhere. */
function textsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const constants = new Map<string, ts.Expression>();
  const literals: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer && ts.isIdentifier(node.name)) constants.set(node.name.text, node.initializer);
    if (ts.isTemplateExpression(node) || ts.isStringLiteralLike(node)) literals.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const textOf = (node: ts.Expression): string => {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node)) {
      return node.head.text + node.templateSpans.map(({ expression, literal }) => textOf(expression) + literal.text).join('');
    }
    const constant = ts.isIdentifier(node) ? constants.get(node.text) : undefined;
    return constant && (ts.isStringLiteralLike(constant) || ts.isTemplateExpression(constant)) ? textOf(constant) : `«${node.getText()}»`;
  };
  return literals.map(textOf);
}

/** The parts of a text that change rows: from the verb to what they return, or to the bracket that they stand in. */
function changesOf(text: string): string[] {
  return [...text.matchAll(/\b(UPDATE\s+\S+(\s+\w+)?\s+SET|DELETE\s+FROM)\b/g)].map(({ index }) => {
    let depth = 0;
    for (let at = index; at < text.length; at += 1) {
      if (text[at] === '(') depth += 1;
      if (text[at] === ')') depth -= 1;
      if (depth < 0 || (depth === 0 && /^RETURNING\b/.test(text.slice(at)))) return text.slice(index, at);
    }
    return text.slice(index);
  });
}

/** What stands between the words of conditions. */
function conditionsOf(change: string): string[] {
  return [...change.matchAll(/\bCASE\b.*?\bEND\b|\bcoalesce\s*\((?:[^()]|\([^()]*\))*\)/gs)].map(([condition]) => condition);
}

function flawOf(change: string): string | null {
  const table = /^(?:UPDATE|DELETE\s+FROM)\s+(\S+)/.exec(change)?.[1] ?? '';
  if (OF_NO_ACCOUNT.has(table)) return null;
  if (!/\baccount_id = /.test(change)) return 'names no account';
  if (/\bctid\b/.test(change)) return 'finds rows by where they lie';
  if (VOLATILE.test(change)) return 'asks for something new with each row';
  if (conditionsOf(change).some((condition) => STABLE.test(condition))) return 'asks for the time within a condition';
  if (OF_A_COLUMN.test(change)) return 'adds to a time of a row';
  return null;
}

const files = readdirSync(resolve(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .map((file) => resolve(ROOT, 'src', file))
  .filter((file) => file.endsWith('.ts') && !/\/(audit|testing|database)\//.test(file));
const changes = files.flatMap((file) =>
  textsOf(file)
    .filter((text) => !ONE_SERVER.some((pattern) => pattern.test(text.trim())))
    .flatMap((text) => changesOf(text).map((change) => ({ where: relative(ROOT, file), change }))),
);

it('every change of rows can be asked of a table that lies on several servers, by account', () => {
  expect(changes.length).toBeGreaterThan(40);
  const flaws = changes.flatMap(({ where, change }) => {
    const flaw = flawOf(change);
    return flaw === null ? [] : [`${where}: ${flaw}: ${change.replaceAll(/\s+/g, ' ').slice(0, 120)}`];
  });
  expect(flaws).toEqual([]);
});

it.each([
  ['UPDATE orders SET status = $2 WHERE id = $1', 'names no account'],
  ['DELETE FROM orders WHERE account_id = $1 AND ctid = ANY ($2)', 'finds rows by where they lie'],
  ['UPDATE orders SET updated_at = clock_timestamp() WHERE account_id = $1', 'asks for something new with each row'],
  ['UPDATE orders SET paid_at = CASE WHEN $2 THEN now() END WHERE account_id = $1', 'asks for the time within a condition'],
  [`UPDATE orders SET due_at = due_at + interval '1 day' WHERE account_id = $1`, 'adds to a time of a row'],
  ['UPDATE orders SET updated_at = now() WHERE account_id = $1 AND id = $2', null],
])('%s: %s', (change, flaw) => {
  expect(flawOf(change)).toBe(flaw);
});
