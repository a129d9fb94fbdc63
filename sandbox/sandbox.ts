import { pino, type Logger } from 'pino';
import { openDatabase } from './database.js';
import { Faults } from './faults.js';
import { Ledger } from './ledger.js';
import { Provider } from './provider.js';
import { buildServer } from './server.js';
import { Webhooks, type WebhookTarget } from './webhooks.js';

export interface SandboxOptions {
  databaseUrl: string;
  /** nowhere when missing: then no events are written either */
  webhook?: WebhookTarget;
  /** silent when missing */
  log?: Logger;
  /** how long to wait for the database, 30 s when missing */
  databaseWaitMs?: number;
}

export interface Sandbox {
  /**
   * Listens and resolves to the URL; port 0 takes a free one.
   * @throws the listening error, `EADDRINUSE` for instance
   */
  listen(port: number, host: string): Promise<string>;
  /** Ends in order: requests, webhooks, database. Waiting requests are answered at once, hung ones cut. */
  close(): Promise<void>;
}

/**
 * A payment provider to develop and test against, on a database of its own.
 * @throws Error when the database can't be used in time
 */
export async function buildSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { databaseUrl, webhook, log = pino({ level: 'silent' }), databaseWaitMs = 30_000 } = options;
  const pool = await openDatabase(databaseUrl, log, databaseWaitMs);
  const ledger = new Ledger(pool, webhook !== undefined);
  const webhooks = webhook && new Webhooks(ledger, webhook, log);
  const provider = new Provider(ledger, () => webhooks?.wake());
  const app = buildServer(ledger, provider, new Faults(), log);
  return {
    listen: (port, host) => app.listen({ port, host }),
    async close() {
      await app.close();
      await webhooks?.stop();
      await pool.end();
    },
  };
}
