import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';

/** What is reached into of node-postgres' pool: `onConnect` is promised, the rest is not. */
interface Pool {
  options: { onConnect?: (client: ClientBase) => unknown };
  _clients: ClientBase[];
  _idle: { client: ClientBase }[];
  _expired: WeakSet<ClientBase>;
  _remove(client: ClientBase): void;
  on(event: 'error', hear: () => void): unknown;
}

/** The connections of a data source, each of which is looked at before anybody gets it. */
export class WatchedPool {
  private constructor(private readonly pool: Pool) {}

  /** `examine` rejects for a connection that must not be used; `lost` hears of one that broke while nobody used it. */
  static watch(dataSource: DataSource, examine: (client: ClientBase) => Promise<void>, lost: () => void): WatchedPool {
    const pool = (dataSource.driver as unknown as { master: Pool }).master;
    const { onConnect } = pool.options;
    pool.options.onConnect = async (client) => {
      await onConnect?.(client);
      await examine(client);
    };
    pool.on('error', lost);
    return new WatchedPool(pool);
  }

  /** Every connection of now goes: at once, or as soon as it is given back. What comes in its place is examined. */
  renew(): void {
    for (const client of this.pool._clients) this.pool._expired.add(client);
    for (const client of this.pool._idle.map((item) => item.client)) this.pool._remove(client);
  }
}
