import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../local/embedded-postgres.js';
import { EMBEDDED_ROLES } from '../../src/kernel/config.js';
import { eventually } from './eventually.js';
import type { Pooler } from './pooler.js';

const PROGRAM = process.env['PGBOUNCER'] ?? 'pgbouncer';

/** Why the real PgBouncer can't be tried here, or null: before 1.21 it doesn't know prepared statements in transaction mode. */
export function whyNoPgBouncer(): string | null {
  const { stdout, error } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  const [, major = 0, minor = 0] = /^PgBouncer (\d+)\.(\d+)/.exec(error ? '' : stdout)?.map(Number) ?? [];
  if (major > 1 || minor >= 21) return null;
  return `${minor ? `PgBouncer 1.${minor} is too old` : 'there is no PgBouncer'}: 1.21 or later, on the PATH or named by PGBOUNCER`;
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
max_prepared_statements = 200
server_login_retry = 1
`,
  );
  for (const [path, mode] of [[directory, 0o755] as const, [settings, 0o644] as const, [users, 0o644] as const]) chmodSync(path, mode);
  // It refuses to run as root.
  const child = spawn(PROGRAM, [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), '-q', settings], { stdio: 'ignore' });
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
