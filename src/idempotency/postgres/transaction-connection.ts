import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { tellSql } from '../channels.js';
import { refuseWhileHanging, unlessCommitsHang } from './commits.js';
import { outsideTransaction } from './connection-guard.js';
import { spelledFor } from './distribution.js';
import type { OpeningCheck } from './opening-check.js';
import { isPreparedAmiss } from './errors.js';
import { OVER } from './over.js';
import { leaveStream, takeStream } from './own-streams.js';
import { Packet } from './packet.js';
import { sendPipeline, type PipelineEnd } from './pipeline.js';
import { toCall, toHandlerCall, type Call, type Result } from './statement.js';
import { followTransactions, isIdle } from './transaction-status.js';

/** What is reached into of node-postgres' client, which doesn't promise it. */
interface Inside {
  query(query: unknown, ...rest: unknown[]): unknown;
  end(): Promise<void>;
  connection: { stream: { destroy(): void } };
}

/** A connection that one transaction has to itself, from the pool and back. */
export class TransactionConnection {
  private unguard: (() => void) | undefined;
  private packet = new Packet();

  private constructor(
    private readonly dataSource: DataSource,
    private readonly runner: QueryRunner,
    readonly client: PoolClient & Inside,
  ) {}

  /** For what will be committed. @throws CommitsHang @throws what the pool says that has no connection */
  static async take(dataSource: DataSource, { whileHanging = false } = {}): Promise<TransactionConnection> {
    if (!whileHanging) refuseWhileHanging(dataSource);
    const { runner, client } = await takeIdle(dataSource);
    // TypeORM has no verb for "a transaction is open already"; without it save() would send START TRANSACTION and COMMIT.
    Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
    return new TransactionConnection(dataSource, runner, client);
  }

  /** Sends the calls in one packet with all else that is asked for at this moment, and gives their results. @throws the database's error */
  ask(calls: readonly Call[]): Promise<Result[]> {
    if (this.packet.isEmpty) queueMicrotask(() => this.flush());
    return this.packet.add(calls);
  }

  private flush(): void {
    const packet = this.nextPacket();
    if (packet.calls.length === 0) packet.settle({ results: [] });
    else void this.send(packet.calls).then((end) => packet.settle(end));
  }

  private nextPacket(): Packet {
    const { packet } = this;
    this.packet = new Packet();
    return packet;
  }

  /** Sends all calls in one packet, behind what was asked for; never rejects. */
  send(calls: readonly Call[]): Promise<PipelineEnd> {
    if (!this.packet.isEmpty) this.flush();
    const sent = spelledFor(this.dataSource, calls);
    return tellSql(sent, () => sendPipeline(this.client, sent));
  }

  /** The same for the packet that commits; cut off, so that the connection breaks, when commits are found to hang. */
  sendLast(calls: readonly Call[]): Promise<PipelineEnd> {
    return unlessCommitsHang(
      this.dataSource,
      () => this.discard(),
      () => this.send(calls),
    );
  }

  /** Whether the server has no transaction open here. */
  get isIdle(): boolean {
    return isIdle(this.client);
  }

  /** TypeORM's manager; neither through it nor through its client can a transaction be ended. */
  manager(): EntityManager {
    this.unguard ??= guard(this.client);
    return this.runner.manager;
  }

  /** From here on only `send` reaches the connection: what a handler left running must not follow COMMIT or ROLLBACK and commit by itself. */
  shut(): void {
    this.unguard?.();
    this.runner.query = () => Promise.reject(new Error(OVER));
  }

  /** Closes the connection, whose state nobody knows. */
  discard(): void {
    discard(this.client);
  }

  /** Gives the connection back, after a ROLLBACK where a transaction may be open. Never throws. */
  async giveBack({ rollBack }: { rollBack: boolean }): Promise<void> {
    this.shut();
    this.nextPacket().fail(new Error(OVER));
    if (rollBack) await this.client.query('ROLLBACK').catch(() => this.discard());
    leaveStream(this.client);
    await this.runner.release();
  }
}

/** Sends the calls in one packet over a connection that they have to themselves meanwhile. @throws what the pool says that has no connection */
export function sendAlone(dataSource: DataSource, calls: readonly Call[]): Promise<PipelineEnd> {
  const sent = spelledFor(dataSource, calls);
  return tellSql(sent, () => sendUntold(dataSource, sent));
}

/** The same for calls of several requests, each of which tells of its own. */
export async function sendUntold(dataSource: DataSource, calls: readonly Call[]): Promise<PipelineEnd> {
  const { runner, client } = await takeIdle(dataSource);
  try {
    const end = await sendPipeline(client, calls);
    // Alone it is a transaction of its own, of which nothing was done.
    return isPreparedAmiss(end.error) ? await sendPipeline(client, calls) : end;
  } finally {
    leaveStream(client);
    await runner.release();
  }
}

/** What a check finds at this moment, without keeping what it wins. @throws the database's error, and what the pool says that has no connection */
export async function askAlone<Found>(dataSource: DataSource, check: OpeningCheck<Found>): Promise<Found> {
  const calls = check.calls().map((call) => toCall(call));
  const { results, error } = await sendAlone(dataSource, calls);
  if (results.length < calls.length) throw error;
  return check.evaluate(results).found;
}

async function takeIdle(dataSource: DataSource): Promise<{ runner: QueryRunner; client: PoolClient & Inside }> {
  const runner = outsideTransaction(() => dataSource.createQueryRunner());
  const client = (await runner.connect()) as PoolClient & Inside;
  takeStream(client);
  const asked = followTransactions(client);
  if (asked) await asked;
  if (isIdle(client)) return { runner, client };
  // Somebody gave it back with a transaction open, whose work would commit with ours, or ours roll back with it.
  discard(client);
  leaveStream(client);
  await runner.release();
  return takeIdle(dataSource);
}

/** Instead of giving it back: the pool lets go of clients that are ending. */
function discard(client: Inside): void {
  client.end().catch(() => undefined);
  client.connection.stream.destroy();
}

/** Refuses whatever would begin or end a transaction, before it is sent; gives back what undoes that. */
function guard(client: Inside): () => void {
  const own = Object.getOwnPropertyDescriptor(client, 'query');
  const query = client.query.bind(client);
  client.query = (sent, ...rest) => {
    const text = typeof sent === 'string' ? sent : (sent as { text?: unknown } | null)?.text;
    if (typeof text === 'string') toHandlerCall({ text });
    return query(sent, ...rest);
  };
  return () => {
    if (own) Object.defineProperty(client, 'query', own);
    else delete (client as Partial<Inside>).query;
  };
}
