// `npm run pack:core [-- folder]`: src/idempotency and its migrations as an npm package, holdfast-nestjs-<version>.tgz in dist/core
// or in the folder named.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const target = resolve(process.argv[2] ?? join(root, 'dist', 'core'));
const directory = join(target, 'package');

rmSync(directory, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', import.meta.dirname, '--outDir', join(directory, 'lib')],
  { stdio: 'inherit' },
);

const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = JSON.parse(readFileSync(join(import.meta.dirname, 'package.template.json'), 'utf8'));
writeFileSync(join(directory, 'package.json'), `${JSON.stringify({ ...manifest, version, license, engines }, null, 2)}\n`);
copyFileSync(join(import.meta.dirname, 'README.md'), join(directory, 'README.md'));
copyFileSync(join(root, 'LICENSE'), join(directory, 'LICENSE'));
await writeSql();
const tarball = execFileSync('npm', ['pack', directory, '--silent', '--ignore-scripts', '--pack-destination', target], {
  encoding: 'utf8',
}).trim();
console.log(join(target, tarball));

/** The text of each migration, from the compiled class itself, for the schema `public`. */
async function writeSql() {
  const { migrations } = createRequire(import.meta.url)(join(directory, 'lib/packaging/core/migrations.js'));
  mkdirSync(join(directory, 'sql'));
  for (const Migration of migrations) {
    const texts = [];
    await new Migration().up({ query: (text) => recorded(text, texts) });
    const [, name, stamp] = /^(.*?)(\d+)$/.exec(Migration.name);
    const file = `${stamp}-${name.replace(/(?<=.)[A-Z]/g, '-$&').toLowerCase()}.sql`;
    writeFileSync(join(directory, 'sql', file), `${texts.map((text) => text.trim().replace(/;?$/, ';')).join('\n')}\n`);
  }
}

/** What a migration asks is answered; everything else is its text. */
async function recorded(text, texts) {
  if (text === 'SELECT quote_ident(current_schema()) AS name') return [{ name: 'public' }];
  if (/^\s*SELECT/.test(text)) throw new Error(`a migration asks what packing can't answer: ${text}`);
  texts.push(text);
  return [];
}
