import { Client, type ClientConfig } from 'pg';
import { SQL, tellSql } from '../idempotency/index.js';

/** read_only_sql_transaction */
const READ_ONLY = '25006';

/**
 * What each session states in its first packet, above whatever a role, a database or the server set. These four alone: the
 * server reports their changes to the client, so poolers carry them too; PgBouncer refuses a session that states others, and
 * loses those that are SET later. The rest belongs to the role (see `migrate`).
 */
const STATED = { DateStyle: 'ISO', TimeZone: 'UTC', client_encoding: 'UTF8', standard_conforming_strings: 'on' };

/** True for what each session states by itself. */
export function isStated(setting: string): boolean {
  return setting in STATED;
}

/** node-postgres' client with the method, missing in its types, that makes the first packet. */
const Base = Client as unknown as new (config?: string | ClientConfig) => Client & { getStartupConf(): Record<string, string> };

/**
 * A connection that is never without an ear for its errors. The pool and TypeORM listen too, but the latter only from a
 * moment after connecting: a server that ends the session in between would end this process, by an error nobody heard.
 */
export class DatabaseClient extends Base {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
    tellOfQueries(this);
    // The session has not ended, but it leads to a server that became a standby: the pool lets go of a client that is ending.
    this.connection.on('errorMessage', ({ code }: { code?: string }) => {
      if (code === READ_ONLY) void this.end();
    });
  }

  override getStartupConf(): Record<string, string> {
    return { ...super.getStartupConf(), ...STATED };
  }
}

/** Tells of statements that are sent alone. The core's packets are queries of another kind, and it tells of them itself. */
function tellOfQueries(client: Client): void {
  const open = client as unknown as { query(sent: unknown, ...rest: unknown[]): unknown };
  const send = open.query.bind(client);
  open.query = (sent, ...rest) => {
    if (!SQL.hasSubscribers) return send(sent, ...rest);
    const { name, text = sent, submit } = (sent ?? {}) as { name?: string; text?: unknown; submit?: unknown };
    const isOther = submit !== undefined || typeof text !== 'string' || rest.some((one) => typeof one === 'function');
    return isOther ? send(sent, ...rest) : tellSql([{ name, text }], () => send(sent, ...rest) as Promise<object>);
  };
}
