import type { ClientBase, ClientConfig } from 'pg';
import { CommandFailure, inDatabase } from '../kernel/cli.js';
import { DatabaseClient } from './client.js';

/** The address of a database, and the variable that it comes from. */
export interface NamedUrl {
  variable: string;
  url: string;
}

/**
 * Whether a pooler stands between: the process whose number the server sent when it let the client in is then not the one that
 * answers (PostgreSQL manual, section 54.2.1, BackendKeyData). One that hands out sessions whole can't be told from one that
 * hands them out by transaction.
 */
export async function isPooled(client: Pick<ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid !== (client as unknown as { processID: number | null }).processID;
}

/**
 * Connects by the first of the addresses that leads past every pooler; the session is the caller's until `endSession`.
 * @throws CommandFailure when none does, and when one doesn't answer
 */
export async function connectPastPoolers(addresses: readonly NamedUrl[], what: string, config: ClientConfig): Promise<DatabaseClient> {
  for (const { variable, url } of addresses) {
    const client = new DatabaseClient({ ...config, connectionString: url });
    let isMine = false;
    try {
      await inDatabase({ variable }, () => client.connect());
      isMine = !(await isPooled(client));
    } finally {
      if (!isMine) await client.end();
    }
    if (isMine) return client;
  }
  throw pooled(what, addresses);
}

/** That work which needs a session of its own would get one that others use before it and after it. */
export function pooled(what: string, addresses: readonly Pick<NamedUrl, 'variable'>[], otherwise = ''): CommandFailure {
  const variables = [...new Set(addresses.map(({ variable }) => variable))];
  const lead = variables.length > 1 ? 'lead' : 'leads';
  return new CommandFailure(
    `${what} a session of its own, and ${variables.join(' and ')} ${lead} through a pooler, whose sessions are everybody's: ` +
      `set DATABASE_OWNER_URL to the address of the server itself${otherwise}.`,
  );
}

/** Leaves nothing in the session, should somebody keep it for the next one all the same. Never throws. */
export async function clearSession(client: Pick<ClientBase, 'query'>): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined);
  await client.query('DISCARD ALL').catch(() => undefined);
}

/** Clears the session and ends it. Never throws. */
export async function endSession(client: ClientBase & { end(): Promise<void> }): Promise<void> {
  await clearSession(client);
  await client.end().catch(() => undefined);
}
