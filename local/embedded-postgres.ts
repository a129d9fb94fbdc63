import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { EMBEDDED_ROLES } from '../src/kernel/config.js';
import { EmbeddedPostgresError, serverAccount } from './account.js';
import { prepareDataDirectory } from './data-directory.js';
import { type Launch, launch, LaunchFailure } from './launch.js';
import { makeRoom } from './postmaster.js';
import { serverPrograms } from './server-files.js';

export { EmbeddedPostgresError } from './account.js';

/** Which of the service's roles. */
export type EmbeddedRole = keyof typeof EMBEDDED_ROLES;

export interface EmbeddedPostgresOptions {
  /** Where the data are kept from one start to the next. */
  directory: string;
  /** The port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Databases to make if they are missing. */
  databases: readonly string[];
  /** More arguments for the server, for example `['-c', 'fsync=off']` in tests. */
  flags?: readonly string[];
}

/** A PostgreSQL server that runs for as long as this process does. */
export interface EmbeddedPostgres {
  port: number;
  /** The process id of the server. */
  pid: number;
  /** URL of a database, as the superuser, who owns it, or as one of the roles that the service has there. */
  url(database: string, role?: EmbeddedRole): string;
  /** Settles when the server is gone, whatever the reason, with a sentence that says how it ended. */
  exited: Promise<string>;
  /** Shuts the server down; resolves when its process is gone. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL that came with npm, on 127.0.0.1 alone, superuser `holdfast` and the service's two roles, without passwords. It recovers from whatever was
 * killed the last time, keeps the data, and ends the server when this process ends, even by kill -9.
 * @throws EmbeddedPostgresError when the port is taken, when it is already running on this directory, or when it cannot run here
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { databases, flags = [] } = options;
  const path = resolve(options.directory);
  const account = serverAccount(path);
  const { initdb, postgres } = await serverPrograms(account);
  const directory = await prepareDataDirectory(path, { account, initdb, durable: !flags.includes('fsync=off') });
  const { server, port } = await launchWithPatience(options.port, { postgres, account, directory, flags });
  const url = (database: string, role: EmbeddedRole = 'owner') => `postgres://${EMBEDDED_ROLES[role]}@127.0.0.1:${port}/${database}`;
  try {
    await prepareServer(url('postgres'), databases);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { ...server, port, url };
}

type Started = { server: Awaited<ReturnType<typeof launch>>; port: number };

/** What an earlier server leaves behind (its lock, its memory) may take a moment to go. */
async function launchWithPatience(wanted: number, options: Omit<Launch, 'port'>): Promise<Started> {
  for (let attempt = 1; ; attempt += 1) {
    await makeRoom(options.directory, options.account);
    const port = wanted === 0 ? await freePort() : wanted;
    try {
      return { server: await launch({ ...options, port }), port };
    } catch (error) {
      if (!(error instanceof LaunchFailure)) throw error;
      const again = error.reason === 'directory in use' || (error.reason === 'port taken' && wanted === 0);
      if (!again || attempt === 20) throw new EmbeddedPostgresError(sentence(error, port), { cause: error });
      await sleep(250);
    }
  }
}

function sentence(failure: LaunchFailure, port: number): string {
  if (failure.reason !== 'port taken') return `PostgreSQL did not start: ${failure.message}`;
  return `Port ${port}, which the embedded PostgreSQL was to listen on, is taken by another program. Stop that program, choose another port with EMBEDDED_DB_PORT, or set DATABASE_URL to a PostgreSQL of your own.`;
}

/** A port on 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening, failed) => probe.once('error', failed).listen(0, '127.0.0.1', listening));
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Makes the databases and roles that are missing. */
async function prepareServer(url: string, names: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const existing = new Set(rows.map((row) => row.datname));
    for (const role of [EMBEDDED_ROLES.api, EMBEDDED_ROLES.background]) {
      const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
      if (rowCount === 0) await client.query(`CREATE ROLE ${escapeIdentifier(role)} LOGIN`);
    }
    for (const name of names) if (!existing.has(name)) await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
