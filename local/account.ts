import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

/** A reason for which the embedded PostgreSQL cannot run, in a sentence for the person who started it. */
export class EmbeddedPostgresError extends Error {}

/** The account that the server runs as; spread into the options of `spawn`. Empty means our own. */
export interface Account {
  uid?: number;
  gid?: number;
}

/**
 * The environment of everything that runs as the server. Ours holds keys, and the server's account may belong to others too.
 * English messages, because some of them are recognised.
 */
export const serverEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

/**
 * Chooses the account for the server of this data directory. PostgreSQL refuses to run as root, so root hands it to the owner of
 * the data, or else to `postgres` or `nobody`; everybody else runs it as themselves.
 * @throws EmbeddedPostgresError when root has nobody to hand it to, or when the data belongs to somebody else
 */
export function serverAccount(dataDirectory: string): Account {
  const own = process.getuid?.();
  const owner = existsSync(dataDirectory) ? statSync(dataDirectory) : undefined;
  if (own === 0) return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : unprivileged();
  if (owner && own !== undefined && owner.uid !== own) {
    throw new EmbeddedPostgresError(
      `The database in ${dataDirectory} belongs to another account (user id ${owner.uid}): start as that account or as root, or name another directory in EMBEDDED_DB_DIR.`,
    );
  }
  return {};
}

function unprivileged(): Account {
  const idOf = (flag: string, name: string) => spawnSync('id', [flag, name], { encoding: 'utf8' });
  const name = ['postgres', 'nobody'].find((candidate) => idOf('-u', candidate).status === 0);
  if (!name) {
    throw new EmbeddedPostgresError(
      'PostgreSQL refuses to run as root, and neither the account "postgres" nor "nobody" exists: start as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
    );
  }
  return { uid: Number(idOf('-u', name).stdout), gid: Number(idOf('-g', name).stdout) };
}

/** Whether an account other than ours gets through to this directory, all its parents included. */
export function canEnter(directory: string, account: Account): boolean {
  return account.uid === undefined || runsAs(account, 'test', ['-x', directory]);
}

/** Whether the program runs as the account and says so with exit code 0. */
export function runsAs(account: Account, program: string, args: string[]): boolean {
  return spawnSync(program, args, { ...account, cwd: '/', env: serverEnvironment, stdio: 'ignore' }).status === 0;
}
