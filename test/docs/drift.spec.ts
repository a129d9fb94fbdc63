import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { faultCommand } from '../../sandbox/faults.js';
import { PROBLEMS } from '../../src/http/problem-table.js';
import { IdempotencyRefusal, type RefusalCode } from '../../src/idempotency/refusal.js';
import { withDefaults } from '../../src/idempotency/options.js';
import { parseConfig, variableNames } from '../../src/kernel/config.js';
import { ACTS } from '../../src/kernel/trail.js';
import { END_STATES, type EndState } from '../../src/payments/end-states.js';
import { MATRIX, PROJECTS } from '../package/projects.js';
import { LOOK_UP_SHARE } from '../../src/payments/provider/guarded-provider.js';
import { BOUNDARIES } from '../crash/support/boundaries.js';
import { CLIENTS, STRIKES } from '../crash/support/round.js';
import { blocksOf, marked, read, rowsOf } from './markdown.js';

const lifting = read('docs/lifting.md');

/** The first cells of a marked table. */
const namesIn = (page: string, mark: string): string[] => rowsOf(marked(read(page), mark)).map(([name = '']) => name);

/** A duration as people write it, in milliseconds. */
function milliseconds(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(amount) * ({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? Number.NaN);
}

/** The members of an interface as its file has them, with their types; a method as the function that it is. */
function membersOf(path: string, name: string): Map<string, string> {
  const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const declared = file.statements.find(
    (node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && node.name.text === name,
  );
  if (!declared) throw new Error(`${path} has no interface ${name}`);
  return new Map(
    declared.members.flatMap((member): [string, string][] => {
      const key = member.name?.getText() ?? '';
      if (ts.isPropertySignature(member)) return [[key, member.type?.getText() ?? '']];
      if (!ts.isMethodSignature(member)) return [];
      return [[key, `(${member.parameters.map((parameter) => parameter.getText()).join(', ')}) => ${member.type?.getText() ?? ''}`]];
    }),
  );
}

describe('the lifted application', () => {
  const source = readFileSync('test/support/lifted-app.ts', 'utf8');

  it.each(['README.md', 'docs/lifting.md'])('%s shows it as the tests run it, word for word', (page) => {
    const [shown] = blocksOf(marked(read(page), 'lift'));
    expect(shown?.text).toContain('@Idempotent()');
    expect(source).toContain(shown?.text.trimEnd());
  });

  it('is shown with all that registers it', () => {
    expect(marked(lifting, 'lift')).toContain('IdempotencyModule.forRoot');
  });
});

it('the store front of the client is shown as a test compiles it, word for word', () => {
  const [front] = blocksOf(marked(read('client/README.md'), 'shop'));
  const [, imported = '', code = ''] = /^(import .*\n)([\s\S]*)$/.exec(front?.text ?? '') ?? [];
  const compiled = read('test/client/foreign/shop.mts');
  expect([imported, code]).toEqual([expect.stringContaining('@holdfast/client'), expect.stringContaining('shop.pending()')]);
  expect(compiled).toContain(imported);
  expect(compiled).toContain(code.trim());
});

describe('options', () => {
  const rows = rowsOf(marked(lifting, 'options'));
  const members = membersOf('src/idempotency/options.ts', 'IdempotencyOptions');
  const defaults = new Map<string, unknown>(Object.entries(withDefaults({ accountOf: () => '' })));

  it('of the module are listed in their order, with their types', () => {
    expect(rows.map(([name, type]) => [name, type])).toEqual([...members]);
  });

  it.each(rows.map(([name = '', , stated = '']) => ({ name, stated })))('$name: $stated is its default', ({ name, stated }) => {
    const value = defaults.get(name);
    if (typeof value === 'number') expect(/^[\d.]+$/.test(stated) ? Number(stated) : milliseconds(stated)).toBe(value);
    else if (typeof value === 'string') expect(stated).toBe(value);
    else if (typeof value === 'boolean')
      expect(stated === 'from Node 24' ? Number.parseInt(process.versions.node) >= 24 : stated === 'true').toBe(value);
    else expect(['required', 'none', 'never', '4xx, by filters', 'the unnamed one', 'the background one']).toContain(stated);
  });

  it('of a route are listed with their types', () => {
    const listed = rowsOf(marked(lifting, 'route-options')).map(([name, type]) => [name, type]);
    expect(listed).toEqual([...membersOf('src/idempotency/idempotent.decorator.ts', 'IdempotentOptions')]);
  });
});

it('the migrations to copy are those that the package has', () => {
  const [, list = ''] = /1\. Copy ([\s\S]*?)\n2\. /.exec(lifting) ?? [];
  const listed = [...list.matchAll(/`(\d+-[\w-]+)\.ts`/g)].map(([, name]) => name);
  expect(listed).toEqual([...read('packaging/core/migrations.ts').matchAll(/migrations\/([\w-]+)\.js'/g)].map(([, name]) => name));
});

it('the refusals of the core are listed with their status and verdict', () => {
  const listed = rowsOf(marked(lifting, 'refusals'));
  const refusalOf = ([code]: string[]): IdempotencyRefusal => new IdempotencyRefusal(code as RefusalCode);
  expect(listed.map(([code, status, retry]) => [code, Number(status), retry])).toEqual(
    listed.map((row) => [row[0], refusalOf(row).getStatus(), refusalOf(row).retry]),
  );
  const [, known = ''] = /const REFUSALS = \{([\s\S]*?)\} as const/.exec(read('src/idempotency/refusal.ts')) ?? [];
  expect(listed.map(([code]) => code)).toEqual([...known.matchAll(/^ {2}'([a-z-]+)':/gm)].map(([, code]) => code));
});

describe('packages of the core', () => {
  const folder = 'src/idempotency';
  const imported = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/from '([^.'][^']*)'/g)].map(([, from = '']) => from))
      .filter((from) => !isBuiltin(from))
      .map((from) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(from)?.[0] ?? from),
  );

  it('are installed beside what a service with Nest, TypeORM and pg has', () => {
    const has = ['@nestjs/common', '@nestjs/core', '@nestjs/typeorm', 'pg', 'rxjs', 'typeorm'];
    const [, line = ''] = /npm install (?!-)(.+)\n/.exec(marked(lifting, 'packages')) ?? [];
    expect([...line.trim().split(' '), ...has].sort()).toEqual([...imported].sort());
  });

  it('have the versions of the lock file, and are all listed', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
    const listed = rowsOf(marked(lifting, 'versions'));
    expect(listed.map(([name, version]) => [name, version])).toEqual(
      listed.map(([name]) => [name, packages[`node_modules/${name}`]?.version]),
    );
    expect(listed.map(([name]) => name)).toEqual(expect.arrayContaining([...imported]));
  });
});

it('the projects that install the package are those of its test', () => {
  const of = (projects: typeof PROJECTS, command: string): string[][] =>
    projects.map(({ platform, modules, node = 'any', packages: { nest, typeorm, pg } }) => [
      nest,
      platform,
      modules,
      typeorm,
      pg,
      node,
      command,
    ]);
  expect(rowsOf(marked(lifting, 'projects'))).toEqual([...of(PROJECTS, 'npm test'), ...of(MATRIX, 'npm run test:matrix')]);
});

it('every problem is listed with its status, verdict and title, and no other', () => {
  const present = Object.entries(PROBLEMS).map(([code, { status, retry, title }]) => [String(status), code, retry, title].join(' '));
  const listed = rowsOf(marked(read('docs/problems.md'), 'problems')).map((row) => row.join(' '));
  expect(listed.sort()).toEqual(present.sort());
});

it('every act of the trail is listed with its level and fields, and no other', () => {
  const listed = rowsOf(marked(read('docs/production.md'), 'acts')).map(([act, level, fields = '']) => [act, level, fields.match(/\w+/g)]);
  expect(listed).toEqual(Object.entries(ACTS).map(([act, { level, fields }]) => [act, level, fields]));
});

it('the members that log lines share are listed, and no other', () => {
  const listed = rowsOf(marked(read('docs/production.md'), 'log-fields')).map(([name]) => name);
  expect(listed).toEqual([...membersOf('src/kernel/log-fields.ts', 'LogFields').keys()]);
});

/** When the provider is asked again, in the page's words. */
const ASKED: Record<EndState['askedAgain'], string> = {
  never: 'never',
  always: 'always',
  'where-books-change': 'where the provider says that its books change',
  'where-not-charged': 'where no charge was known',
};

it('the ends of a payment are those of the code', () => {
  const shown = (text: string): string => text.replaceAll('`', '');
  const cells = Object.entries<EndState>(END_STATES).map(([name, end]) => [
    name,
    end.payment,
    end.failureCode === 'provider' ? "the provider's" : (end.failureCode ?? '–'),
    end.order,
    end.stock,
    [end.answer, end.code].filter(Boolean).join(' '),
    end.countsAsOne ? 'yes' : 'no',
    end.nextPayment ? `409 ${end.nextPayment}` : 'is made',
    ASKED[end.askedAgain],
  ]);
  expect(rowsOf(marked(read('docs/how-it-works.md'), 'end-states')).map((row) => row.map(shown))).toEqual(cells);
});

it('the crash matrix has every boundary, client and strike', () => {
  const matrix = marked(read('docs/crash-matrix.md'), 'matrix');
  const head = (matrix.split('\n').find((line) => line.startsWith('|')) ?? '').split('|').map((cell) => cell.trim());
  expect(head.slice(3, -1)).toEqual([...STRIKES]);
  expect(rowsOf(matrix).map(([boundary, client]) => `${boundary}, ${client}`)).toEqual(
    BOUNDARIES.flatMap(({ name }) => CLIENTS.map((client) => `${name}, ${client}`)),
  );
});

describe('variables', () => {
  const rows = rowsOf(marked(read('docs/production.md'), 'variables'));
  const nameOf = ([name = '']: string[]): string => name.replace(/\W*$/, '');

  it('are all listed, and no other', () => {
    expect(rows.map((row) => nameOf(row)).sort()).toEqual([...variableNames].sort());
  });

  it('have the defaults that are stated', () => {
    const stated = rows.filter(([, value]) => value !== '–').map((row) => [nameOf(row), row[1]] as const);
    expect(stated.length).toBeGreaterThan(10);
    expect(parseConfig(Object.fromEntries(stated))).toEqual(parseConfig({}));
    for (const [name, value] of stated) if (name !== 'PROVIDER_URL') expect(read('.env.example')).toContain(`# ${name}=${value}\n`);
  });
});

it('the clocks of a payment are those of the code', () => {
  const { providerTimeout, lease, recoveryInterval, window } = parseConfig({});
  const [, margin = ''] = /const STEP_MARGIN = ([\d_]+);/.exec(read('src/app.module.ts')) ?? [];
  const budget = providerTimeout + Number(margin.replaceAll('_', ''));
  const page = read('docs/how-it-works.md');
  const clocks = rowsOf(page.slice(page.indexOf('| clock '))).slice(0, 5);
  expect(clocks.map(([, , stated = '']) => milliseconds(stated))).toEqual([providerTimeout, budget, lease, recoveryInterval, window]);
  // "has half of it"
  expect(LOOK_UP_SHARE).toBe(0.5);
});

describe('the sandbox', () => {
  it('has the tokens that are listed, and no other', () => {
    const known = new Set(`${read('sandbox/provider.ts')}${read('sandbox/sources.ts')}`.match(/(?<=')tok_\w+(?=')/g));
    expect(namesIn('docs/sandbox.md', 'tokens').sort()).toEqual([...known].sort());
  });

  it('has the faults that are listed, and no other', () => {
    expect(namesIn('docs/sandbox.md', 'faults').sort()).toEqual(Object.keys(faultCommand.shape).sort());
  });
});

it('the pictures are those that their script draws', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-pictures-'));
  execFileSync(process.execPath, ['docs/pictures/draw.mjs', directory]);
  const drawn = readdirSync(directory);
  expect(drawn.length).toBeGreaterThan(0);
  for (const name of drawn) expect(read(`docs/pictures/${name}`)).toBe(readFileSync(join(directory, name), 'utf8'));
  rmSync(directory, { recursive: true });
});
