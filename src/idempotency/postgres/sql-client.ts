import type { QueryResult, QueryResultRow } from 'pg';
import { databaseError } from './errors.js';
import { ignoreRejection } from './ignore-rejection.js';
import { Nesting } from './nesting.js';
import { OVER } from './over.js';
import type { PostgresTransaction } from './postgres-transaction.js';
import { sendSaved } from './statement-savepoints.js';
import { TransactionControlRefused } from './statement.js';
import { controlsTransaction } from './transaction-control.js';

type Callback = (error: unknown, result?: QueryResult) => void;
/** A statement as node-postgres takes it. */
type Sent = string | { text: string; values?: unknown[]; callback?: unknown; submit?: unknown };

const BEGINS = /^\s*(?:begin|start\s+transaction)\b[^;]*;?\s*$/i;
const COMMITS = /^\s*(?:commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i;
const ROLLS_BACK = /^\s*(?:rollback|abort)(?:\s+(?:work|transaction))?\s*;?\s*$/i;

/** What the first failed statement of a transaction was. */
const failures = new WeakMap<PostgresTransaction, string>();

/**
 * A node-postgres client on a handler's transaction. BEGIN, COMMIT and ROLLBACK are a savepoint, its release and the way back to
 * it; what would end the handler's own transaction is refused before it is sent, and so is everything once that is over.
 */
export class SqlClient {
  /** `owner`: who has the nested transactions that are begun here. */
  constructor(
    private readonly tx: PostgresTransaction,
    private readonly owner?: object,
  ) {}

  /**
   * As node-postgres' own: a text or a config, with values, and with a callback or a promise.
   * @throws Error for a COMMIT or ROLLBACK that no BEGIN here belongs to, and after the end
   */
  query<R extends QueryResultRow>(sent: Sent, values?: unknown[] | Callback, callback?: Callback): Promise<QueryResult<R>> {
    const hear = callback ?? (typeof values === 'function' ? values : undefined);
    const result = ignoreRejection(this.send(sent, Array.isArray(values) ? values : undefined)) as Promise<QueryResult<R>>;
    if (hear) result.then((found) => hear(null, found), hear);
    return result;
  }

  /** Gives nothing back: the connection is the transaction's. */
  release(): void {}

  /** Hears of nothing: the engine hears of a lost connection. */
  on(): this {
    return this;
  }

  /** See `on`. */
  once(): this {
    return this;
  }

  /** See `on`. */
  removeListener(): this {
    return this;
  }

  private get nester(): object {
    return this.owner ?? this;
  }

  private async send(sent: Sent, values: unknown[] | undefined): Promise<unknown> {
    const text = typeof sent === 'string' ? sent : sent?.text;
    if (typeof text !== 'string') throw new Error("Cursors and streams are not for a client on a handler's transaction: read by LIMIT");
    const nesting = Nesting.of(this.tx);
    if (controlsTransaction(text)) return this.nest(nesting, text);
    nesting.admit(this.nester, text);
    return this.transmit(text, sent, values);
  }

  private async nest(nesting: Nesting, text: string): Promise<unknown> {
    const name = `holdfast_${nesting.depth}`;
    if (this.owner) throw new TransactionControlRefused(text);
    if (BEGINS.test(text)) {
      nesting.begin(this);
      return this.transmit(text, `SAVEPOINT holdfast_${nesting.depth}`);
    }
    if (!nesting.has(this) || !(COMMITS.test(text) || ROLLS_BACK.test(text))) throw new TransactionControlRefused(text);
    const undone = ROLLS_BACK.test(text);
    const result = await this.transmit(
      text,
      undone ? `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}` : `RELEASE SAVEPOINT ${name}`,
    );
    nesting.end(this, undone);
    return result;
  }

  private async transmit(text: string, sent: Sent, values?: unknown[]): Promise<unknown> {
    const client = await this.tx.client();
    const own = typeof sent === 'string' ? sent : sent.text;
    try {
      return await sendSaved(this.tx, own, async (other) => {
        // It may have ended since: what is sent behind COMMIT would commit by itself.
        if (this.tx.isOver) throw new Error(OVER);
        return other === undefined ? client.query(sent as string, values) : client.query(other);
      });
    } catch (error) {
      throw this.named(error, text);
    }
  }

  /** PostgreSQL says of a statement in an aborted transaction no more than that; what aborted it may have been caught. */
  private named(error: unknown, text: string): unknown {
    const refusal = databaseError(error);
    if (refusal?.code !== '25P02') {
      if (refusal && !failures.has(this.tx)) failures.set(this.tx, `${JSON.stringify(text.trim().slice(0, 120))} (${refusal.message})`);
      return error;
    }
    refusal.message += `; the statement that failed was ${failures.get(this.tx) ?? 'another one'}: put it into a nested transaction where its failure is expected`;
    return refusal;
  }
}
