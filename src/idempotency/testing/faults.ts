import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { TransactionConnection } from '../postgres/transaction-connection.js';

/** Where a connection is cut: in front of a packet of the transaction, counted from 1, or when the server has committed and said nothing yet. */
export type Cut = { before: number } | 'after COMMIT';

type Client = TransactionConnection['client'] & { processID: number };

/** The packets of one request's transactions. */
interface Watch {
  cut: Cut | undefined;
  packets: number;
  /** The backend whose connection was cut. */
  pid: number | undefined;
}

/** Both leave in the last packet of a transaction: as COMMIT, or in a transaction that is one packet. */
const COMMITTING = new Set(['COMMIT', 'idempotency-claim-completed']);

/**
 * Connections of handlers' transactions in this process, cut as a network or a dying process does it: the socket is closed, and the server is
 * left with what it has. For one request at a time.
 */
export class Faults {
  private readonly inHand = new Set<Client>();
  private readonly changed = new Set<Client>();
  private watch: Watch | undefined;
  private commits = false;
  private readonly restore: (() => void)[] = [];

  constructor(private readonly dataSource: DataSource) {
    const take: (typeof TransactionConnection)['take'] = Reflect.get(TransactionConnection, 'take');
    const send: TransactionConnection['send'] = Reflect.get(TransactionConnection.prototype, 'send');
    const giveBack: TransactionConnection['giveBack'] = Reflect.get(TransactionConnection.prototype, 'giveBack');
    const { inHand } = this;
    // oxlint-disable-next-line typescript/no-this-alias
    const faults = this;
    TransactionConnection.take = async (source) => {
      const connection = await take.call(TransactionConnection, source);
      faults.hold(connection.client as Client);
      return connection;
    };
    TransactionConnection.prototype.send = function (calls) {
      faults.commits = calls.some(({ name = '' }) => COMMITTING.has(name));
      try {
        return send.call(this, calls);
      } finally {
        faults.commits = false;
      }
    };
    TransactionConnection.prototype.giveBack = function (how) {
      inHand.delete(this.client as Client);
      return giveBack.call(this, how);
    };
    this.restore.push(
      () => Object.assign(TransactionConnection.prototype, { send, giveBack }),
      () => (TransactionConnection.take = take),
    );
  }

  /** What the work gave, and how many packets its transactions had, or how many until the cut; when the server has let go of what was cut. */
  async during<T>(cut: Cut | undefined, work: () => Promise<T>): Promise<{ gave: T; packets: number; wasCut: boolean }> {
    const watch: Watch = { cut, packets: 0, pid: undefined };
    this.watch = watch;
    try {
      const gave = await work();
      if (watch.pid !== undefined) await this.until('its end', 'NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)', watch.pid);
      return { gave, packets: watch.packets, wasCut: watch.pid !== undefined };
    } finally {
      this.watch = undefined;
    }
  }

  /** Takes back what was changed for it. */
  stop(): void {
    for (const client of this.changed) Reflect.deleteProperty(client, 'query');
    for (const give of this.restore) give();
  }

  private hold(client: Client): void {
    this.inHand.add(client);
    if (this.changed.has(client)) return;
    this.changed.add(client);
    const query = client.query.bind(client);
    client.query = ((...args: Parameters<typeof query>) => {
      const { watch } = this;
      if (!watch || !this.inHand.has(client)) return query(...args);
      watch.packets += 1;
      const { cut } = watch;
      if (typeof cut === 'object' && watch.packets === cut.before) this.cut(client, watch);
      const sent = query(...args);
      if (cut === 'after COMMIT' && this.commits && watch.pid === undefined) void this.cutWhenCommitted(client, watch);
      return sent;
    }) as typeof client.query;
  }

  private cut(client: Client, watch: Watch): void {
    watch.pid = client.processID;
    client.connection.stream.destroy();
  }

  /** The answer of the server stays unread. */
  private async cutWhenCommitted(client: Client, watch: Watch): Promise<void> {
    watch.pid = client.processID;
    (client.connection.stream as unknown as { pause(): void }).pause();
    const idle = `EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'idle')`;
    await this.until('its COMMIT', idle, watch.pid).catch(() => undefined);
    client.connection.stream.destroy();
  }

  private async until(what: string, condition: string, pid: number): Promise<void> {
    for (let looks = 0; looks < 500; looks += 1) {
      const [row] = await this.dataSource.query<{ holds: boolean }[]>(`SELECT ${condition} AS holds`, [pid]);
      if (row?.holds) return;
      await sleep(20);
    }
    throw new Error(`the backend ${pid} did not come to ${what}`);
  }
}
