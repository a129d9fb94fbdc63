import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';

/** A durable PostgreSQL on a free port, with its data in a temporary directory, which goes with it. */
export class TemporaryPostgres {
  /** For the data, and for what else must go with them. */
  readonly directory: string;
  /** Rejects with an EmbeddedPostgresError. */
  readonly ready: Promise<EmbeddedPostgres>;
  private ending: Promise<void> | undefined;

  /** Begins to start the server; `flags`: more arguments for it. */
  constructor(name: string, databases: readonly string[] = [], flags: readonly string[] = []) {
    this.directory = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
    // As root the server runs as another account, which must be able to enter.
    chmodSync(this.directory, 0o755);
    this.ready = startEmbeddedPostgres({ directory: join(this.directory, 'postgres'), port: 0, databases, flags });
  }

  /** Stops the server and removes the directory. May be called at any time, and again. */
  end(): Promise<void> {
    this.ending ??= this.endIt();
    return this.ending;
  }

  private async endIt(): Promise<void> {
    // Where it failed to start there is nothing to stop; who awaits `ready` says why.
    const server = await this.ready.catch(() => undefined);
    await server?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
