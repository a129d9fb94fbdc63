import { Client } from 'pg';
import { codeOf } from './trouble.js';

/** What a database is addressed by: a URL, or the directory of a socket and a name (`/var/run/postgresql holdfast`). */
const FORM = /^(postgres(ql)?:\/\/|socket:|\/)/i;

/**
 * What is wrong with the address of a database, or null. Whatever node-postgres connects with is right: sockets
 * (`postgres://user@/holdfast?host=/var/run/postgresql`), IPv6, `sslmode`, `options`, no user. Never repeats a part of it.
 */
export function flawOfDatabaseUrl(url: string): string | null {
  if (!FORM.test(url)) return 'must be a URL that begins with postgres:// or postgresql://, or the path of a socket';
  try {
    const { port } = new Client({ connectionString: url });
    return port >= 1 && port <= 65_535 ? null : 'must have a port from 1 to 65535';
  } catch (error) {
    // sslcert, sslkey and sslrootcert.
    if (error instanceof Error && 'syscall' in error) return `must name files that can be read (${codeOf(error)})`;
    return 'must be a URL that node-postgres can read, postgres://user:password@host:port/database; what is no letter or digit in its parts is percent-encoded';
  }
}

/** The name of the database that the URL leads to. */
export function databaseOf(url: string): string {
  return new Client({ connectionString: url }).database ?? '';
}

/** The same server, user and options, and another database. */
export function withDatabase(url: string, database: string): string {
  const name = encodeURI(database);
  if (url.startsWith('/')) return `${url.split(' ')[0]} ${database}`;
  // By hand: of a URL without a host (`postgres://user@/database?host=/directory`) node's own parser wants to know nothing.
  if (/^socket:/i.test(url)) {
    return /[?&]db=/.test(url) ? url.replace(/([?&]db=)[^&]*/, `$1${name}`) : `${url}${url.includes('?') ? '&' : '?'}db=${name}`;
  }
  const [, server = '', rest = ''] = /^([^:]+:\/\/[^/?#]*)(?:\/[^?#]*)?(.*)$/s.exec(url) ?? [];
  return `${server}/${name}${rest}`;
}
