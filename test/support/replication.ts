import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEmbeddedPostgres, type EmbeddedPostgres } from '../../local/embedded-postgres.js';
import { envOf, on, prepare, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';

/** What clients connect to, whichever server takes the writes: the address that moves with a failover. */
class Address {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private port: number,
  ) {}

  static async of(port: number): Promise<Address> {
    const server = createServer();
    const address = new Address(server, port);
    server.on('connection', (client) => address.serve(client));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return address;
  }

  get url(): string {
    return urlAt((this.server.address() as AddressInfo).port);
  }

  /** Clients that come from now on get to that server, and those that are connected lose their connections. */
  moveTo(port: number): void {
    this.port = port;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private serve(client: Socket): void {
    const server = connect(this.port, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true).on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}

const urlAt = (port: number): string => `postgres://holdfast@127.0.0.1:${port}/postgres`;
const FLAGS = ['-c', 'fsync=off'];

/** A migrated primary with a standby that follows it asynchronously, and the one address by which clients reach them. */
export class ReplicatedDatabase {
  private constructor(
    private readonly directory: string,
    private readonly address: Address,
    private primary: EmbeddedPostgres,
    private readonly standby: { port: number; promoted: Promise<EmbeddedPostgres> },
  ) {}

  static async start(): Promise<ReplicatedDatabase> {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-replication-'));
    // As root the servers run as another account, which must be able to enter.
    chmodSync(directory, 0o755);
    const first = await startEmbeddedPostgres({ directory: join(directory, 'primary'), port: 0, databases: [], flags: FLAGS });
    await prepare(first.url('postgres'));
    await first.stop();
    copyToStandby(directory, first.port);
    const primary = await startEmbeddedPostgres({ directory: join(directory, 'primary'), port: first.port, databases: [], flags: FLAGS });
    const port = await freePort();
    // It counts as started when it takes writes.
    const promoted = startEmbeddedPostgres({ directory: join(directory, 'standby'), port, databases: [], flags: FLAGS });
    return new ReplicatedDatabase(directory, await Address.of(primary.port), primary, { port, promoted });
  }

  /** Through the address. */
  get database(): TestDatabase {
    const { url } = this.address;
    return { url, env: envOf(url), query: (text, values) => on(url, text, values), drop: () => Promise.resolve() };
  }

  /** Waits until the standby has all that the primary has, and then lets it hear nothing more: what comes now will be lost. */
  async cutReplication(): Promise<void> {
    const [{ lsn } = { lsn: '' }] = await on<{ lsn: string }>(urlAt(this.primary.port), 'SELECT pg_current_wal_lsn()::text AS lsn');
    await eventually(
      'the standby to catch up',
      () => onStandby(`SELECT 1 WHERE pg_last_wal_replay_lsn() >= '${lsn}'`, this.standby.port),
      30_000,
    );
    await on(urlAt(this.standby.port), `ALTER SYSTEM SET primary_conninfo = ''`);
    await on(urlAt(this.standby.port), 'SELECT pg_reload_conf()');
    await eventually('the replication to end', () =>
      onStandby('SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_wal_receiver)', this.standby.port),
    );
  }

  /** Kills the primary, promotes the standby, and moves the address there. */
  async failOver(): Promise<void> {
    process.kill(this.primary.pid, 'SIGKILL');
    await this.primary.exited;
    await on(urlAt(this.standby.port), 'SELECT pg_promote()');
    await this.standby.promoted;
    this.address.moveTo(this.standby.port);
  }

  /** The primary that was killed comes back as it was, and takes the address. */
  async bringBack(): Promise<void> {
    const { port } = this.primary;
    this.primary = await startEmbeddedPostgres({ directory: join(this.directory, 'primary'), port, databases: [], flags: FLAGS });
    this.address.moveTo(port);
  }

  /** The address leads to the promoted standby again. */
  returnToPromoted(): void {
    this.address.moveTo(this.standby.port);
  }

  async close(): Promise<void> {
    await this.address.close();
    await this.primary.stop();
    await (await this.standby.promoted).stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A copy of a server that was shut down is where a standby may start from. */
function copyToStandby(directory: string, port: number): void {
  const [primary, standby] = [join(directory, 'primary'), join(directory, 'standby')];
  // With owners and modes, which node's own copy leaves out.
  const { status, stderr } = spawnSync('cp', ['-a', primary, standby], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  appendFileSync(join(standby, 'postgresql.auto.conf'), `primary_conninfo = 'host=127.0.0.1 port=${port} user=holdfast'\n`);
  const { uid, gid } = statSync(standby);
  writeFileSync(join(standby, 'standby.signal'), '');
  chownSync(join(standby, 'standby.signal'), uid, gid);
}

/** Whether the query has a row; no, as long as the standby lets nobody in. */
async function onStandby(text: string, port: number): Promise<boolean> {
  return (await on(urlAt(port), text).catch(() => [])).length > 0;
}
