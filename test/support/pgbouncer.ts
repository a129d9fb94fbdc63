import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../local/embedded-postgres.js';
import { EMBEDDED_ROLES } from '../../src/kernel/config.js';
import { pathOf, whyMissing, type Program } from './debian.js';
import { eventually } from './eventually.js';
import type { Pooler } from './pooler.js';

/** Debian's, which is older than 1.21 until Debian 13; PGBOUNCER names another one. */
const PGBOUNCER: Program = { name: 'PgBouncer', places: ['/usr/sbin/pgbouncer'], packages: 'pgbouncer', variable: 'PGBOUNCER' };

/** Why there is no PgBouncer to try, or null. */
export const whyNoPgBouncer = (): string | null => whyMissing(PGBOUNCER);

/** Major and minor version, as `1.18`; null without one. */
export function pgBouncerVersion(): string | null {
  const path = pathOf(PGBOUNCER);
  return path && (/^PgBouncer (\d+\.\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? null);
}

/** From 1.21 on it carries prepared statements from session to session. */
function carriesStatements(): boolean {
  const [major = 0, minor = 0] = (pgBouncerVersion() ?? '').split('.').map(Number);
  return major > 1 || minor >= 21;
}

/** Runs PgBouncer in transaction mode in front of a server that trusts everybody. */
export async function startPgBouncer(databaseUrl: string): Promise<Pooler> {
  const { port: serverPort, username, pathname } = new URL(databaseUrl);
  const [directory, port] = [mkdtempSync(join(tmpdir(), 'holdfast-pgbouncer-')), await freePort()];
  const [settings, users] = [join(directory, 'pgbouncer.ini'), join(directory, 'users.txt')];
  const roles = [username, EMBEDDED_ROLES.api, EMBEDDED_ROLES.background];
  writeFileSync(users, roles.map((role) => `"${role}" ""\n`).join(''));
  writeFileSync(
    settings,
    `[databases]
${pathname.slice(1)} = host=127.0.0.1 port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
${carriesStatements() ? 'max_prepared_statements = 200' : ''}
server_login_retry = 1
`,
  );
  for (const [path, mode] of [[directory, 0o755] as const, [settings, 0o644] as const, [users, 0o644] as const]) chmodSync(path, mode);
  // It refuses to run as root.
  const child = spawn(pathOf(PGBOUNCER) ?? PGBOUNCER.name, [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), '-q', settings], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = new URL(databaseUrl);
  url.port = String(port);
  const isUp = async (): Promise<boolean> => {
    const client = new Client(url.toString());
    const connected = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end();
    return connected;
  };
  await eventually('PgBouncer', isUp);
  return {
    url: url.toString(),
    close: async () => {
      child.kill('SIGQUIT');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
