import { Query, type FieldDef, type PoolClient } from 'pg';
import { heedName, named } from './statement-names.js';
import type { Call, Result } from './statement.js';

/** How a pipeline ended: the results of the statements that ran, and the error of the one that didn't; none after it ran. */
export interface PipelineEnd {
  results: Result[];
  error?: unknown;
}

/** What the server told of a statement's columns when it was prepared: later executions need not ask again. */
type Columns = { name: string; parse: (text: string) => unknown }[];

/**
 * Sends all calls in one packet and waits for them; never rejects. They share one Sync (PostgreSQL manual, section 54.2.3,
 * Extended Query): the server answers them in one go, and after an error it skips the rest, a COMMIT among it included.
 */
export function sendPipeline(client: PoolClient, calls: readonly Call[]): Promise<PipelineEnd> {
  return new Promise((resolve) => client.query(new Pipeline(client, calls, resolve) as unknown as Query));
}

/** The rows of the last call. @throws the error of the pipeline */
export function rowsOfLast<R>({ results, error }: PipelineEnd): R[] {
  const last = results.at(-1);
  if (error || !last) throw error ?? new Error('an empty pipeline');
  return last.rows as R[];
}

/** What node-postgres' own queries and cursors use of a connection. */
interface Wire {
  stream: { cork(): void; uncork(): void; destroy(): void };
  parse(statement: { name: string; text: string }): void;
  bind(portal: { statement: string; values: readonly unknown[] }): void;
  describe(portal: { type: 'P' }): void;
  execute(portal: object): void;
  close(statement: { type: 'S'; name: string }): void;
  sync(): void;
}

/** The statements that a connection has prepared. */
interface Prepared {
  /** By name; null: it gives no rows. */
  columns: Map<string, Columns | null>;
  /** Sent to be prepared by a pipeline that is still out; another one behind it may use it. */
  sent: Set<string>;
  /** It failed, and nobody knows whether it is prepared now. */
  doubtful: Set<string>;
}

const preparedOn = new WeakMap<object, Prepared>();

/** In pipeline mode node-postgres takes its own kind of query only, for fear of portals that stay open; ours never do. */
const Base = Query as unknown as new (config: { text: string; callback: (error?: unknown) => void }) => { callback: unknown };

/**
 * The statements of one pipeline as one query of node-postgres, which would send a Sync behind each: PostgreSQL then answers
 * each by itself, and ten answers wake this process up to ten times.
 */
class Pipeline extends Base {
  private readonly calls: readonly Call[];
  private readonly results: Result[] = [];
  private readonly prepared: Prepared;
  private readonly sent: string[] = [];
  /** Of each call whether this pipeline asks for its columns, and what was known of them when it left. */
  private readonly plans: { asks: boolean; known: Columns | null | undefined }[] = [];
  private columns: Columns | null | undefined;
  private gathered: Record<string, unknown>[] = [];
  /** Why a row could not be read; the statements ran all the same. */
  private broken: unknown;
  private ended = false;

  constructor(
    private readonly client: PoolClient,
    calls: readonly Call[],
    resolve: (end: PipelineEnd) => void,
  ) {
    // node-postgres wraps the callback for its time limit, and calls it itself when that has passed.
    super({ text: '', callback: (error) => resolve(error ? { results: this.results, error } : { results: this.results }) });
    const { connection } = client as unknown as { connection: object };
    this.prepared = preparedOn.get(connection) ?? { columns: new Map(), sent: new Set(), doubtful: new Set() };
    preparedOn.set(connection, this.prepared);
    this.calls = named(calls);
  }

  /** Called by node-postgres, like all that follow. */
  submit(wire: Wire): void {
    const { columns, sent, doubtful } = this.prepared;
    wire.stream.cork();
    for (const { name = '', text, values = [] } of this.calls) {
      const fresh = name === '' || !(columns.has(name) || sent.has(name));
      if (fresh) {
        if (doubtful.has(name)) wire.close({ type: 'S', name });
        wire.parse({ name, text });
        if (name !== '') this.sent.push(name);
        sent.add(name);
      }
      this.plans.push({ asks: fresh, known: columns.get(name) });
      wire.bind({ statement: name, values });
      if (fresh) wire.describe({ type: 'P' });
      wire.execute({});
    }
    wire.sync();
    wire.stream.uncork();
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.columns = fields.map(({ name, dataTypeID }) => ({
      name,
      parse: this.client.getTypeParser(dataTypeID) as Columns[number]['parse'],
    }));
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this.isOver) return;
    // An error thrown here would be nobody's, and end the process.
    try {
      this.gathered.push(this.rowOf(fields));
    } catch (error) {
      this.broken = error;
    }
  }

  private rowOf(fields: (string | null)[]): Record<string, unknown> {
    const at = this.results.length;
    const name = this.calls[at]?.name ?? '';
    // A pipeline in front, or a call in front, may have prepared it in the meantime.
    this.columns ??= this.plans[at]?.known ?? this.prepared.columns.get(name);
    if (!this.columns) throw new Error(`a row of ${name}, whose columns nobody knows`);
    const row: Record<string, unknown> = {};
    for (const [column, { name: member, parse }] of this.columns.entries()) {
      const text = fields[column];
      row[member] = text == null ? null : parse(text);
    }
    return row;
  }

  handleCommandComplete({ text }: { text: string }): void {
    if (this.isOver) return;
    const at = this.results.length;
    const name = this.calls[at]?.name;
    if (name !== undefined && this.plans[at]?.asks) {
      this.prepared.columns.set(name, this.columns ?? null);
      // Not before now: had something failed in front of it, it would neither have been closed nor prepared again.
      this.prepared.doubtful.delete(name);
    }
    const space = text.indexOf(' ');
    this.results.push({ rows: this.gathered, command: space < 0 ? text : text.slice(0, space) });
    this.gathered = [];
    this.columns = undefined;
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleError(error: unknown): void {
    heedName(error);
    const name = this.calls[this.results.length]?.name;
    // Also for one that was prepared: it may be the statement itself that PostgreSQL no longer knows or accepts.
    if (name !== undefined) {
      this.prepared.columns.delete(name);
      this.prepared.doubtful.add(name);
    }
    this.end(error);
  }

  handleReadyForQuery(): void {
    this.end(this.broken);
  }

  /** Later results are dropped: after a row that could not be read, and after a time limit, when the server still answers. */
  private get isOver(): boolean {
    return this.ended || this.broken !== undefined;
  }

  private end(error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    for (const name of this.sent) {
      this.prepared.sent.delete(name);
      if (!this.prepared.columns.has(name)) this.prepared.doubtful.add(name);
    }
    (this.callback as (error?: unknown) => void)(error);
  }
}
