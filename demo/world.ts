import { join } from 'node:path';
import { Client } from 'pg';
import { type ChildRun, childPiece } from '../local/child.js';
import { demoKeys } from '../local/demo-keys.js';
import type { EmbeddedPostgres } from '../local/embedded-postgres.js';
import type { Piece, Run } from '../local/supervisor.js';
import { TemporaryPostgres } from '../local/temporary-postgres.js';
import { childEnvironment, variableNames } from '../src/kernel/config.js';
import type { Progress } from '../src/kernel/progress.js';

const DATABASE = 'holdfast';
const SANDBOX_DATABASE = 'holdfast_sandbox';

/** Short enough that nobody gets bored, and long enough that a slow machine kills the API while it still waits for the provider. */
const TIMES = { PROVIDER_TIMEOUT: '6s', IDEMPOTENCY_LEASE: '7s', IDEMPOTENCY_RECOVERY_INTERVAL: '500ms' };

/** Nothing that a developer has set, here or in a .env file, may matter: an empty variable is not set, and wins over the file. */
const NOTHING_SET = Object.fromEntries(variableNames.map((name) => [name, '']));

/** What the demo reads of the sandbox's ledger. */
export interface Ledger {
  charges: { id: string; amount: number }[];
  requests: { path: string; key: string }[];
}

/** A service of the demo's own: PostgreSQL, the provider's sandbox and the API, on free ports, with data that go with it. */
export class DemoWorld {
  private readonly temporary = new TemporaryPostgres('demo', [DATABASE, SANDBOX_DATABASE]);
  private readonly stopping = new AbortController();
  private readonly starts: Promise<Run>[] = [];
  private ending: Promise<void> | undefined;
  private api: ChildRun | undefined;
  private sandbox: ChildRun | undefined;
  /** Opens the demo account. */
  readonly apiKey = demoKeys(join(this.temporary.directory, 'keys.json')).DEMO_API_KEY;

  /** Starts all of it. @throws ChildFailure, EmbeddedPostgresError */
  async open(progress: Progress): Promise<void> {
    progress.step('PostgreSQL starts');
    const postgres = await this.temporary.ready;
    progress.step('the provider starts');
    this.sandbox = await this.start('The provider sandbox', '../sandbox/main.js', {
      SANDBOX_PORT: '0',
      SANDBOX_DATABASE_URL: postgres.url(SANDBOX_DATABASE),
    });
    progress.step('the API starts, and makes its tables');
    await this.startApi();
  }

  get url(): string {
    return up(this.api).url;
  }

  /** Ends the API's process as a power failure would. */
  async killApi(): Promise<void> {
    const { pid, exited } = up(this.api);
    process.kill(pid, 'SIGKILL');
    await exited;
  }

  /** The first time on a free port, then on the same one. */
  async startApi(): Promise<void> {
    const postgres = await this.temporary.ready;
    this.api = await this.start('The API', '../src/main.js', {
      ...TIMES,
      PORT: this.api ? new URL(this.api.url).port : '0',
      ...addresses(postgres),
      PROVIDER_URL: up(this.sandbox).url,
      DEMO_API_KEY: this.apiKey,
    });
  }

  /** One statement, as the owner, who sees all accounts. */
  async query<R>(text: string): Promise<R[]> {
    const client = new Client({ connectionString: (await this.temporary.ready).url(DATABASE) });
    await client.connect();
    try {
      return (await client.query(text)).rows as R[];
    } finally {
      await client.end();
    }
  }

  /** All that the provider did, and all that it was asked for. */
  async ledger(): Promise<Ledger> {
    const answer = await fetch(`${up(this.sandbox).url}/ledger`);
    return (await answer.json()) as Ledger;
  }

  /** Ends all that was started, last first, and removes the data. */
  end(): Promise<void> {
    this.ending ??= this.endAll();
    return this.ending;
  }

  private async endAll(): Promise<void> {
    this.stopping.abort();
    for (const start of this.starts.toReversed()) {
      const run = await start.catch(() => undefined);
      await run?.stop();
    }
    await this.temporary.end();
  }

  private start(name: string, script: string, env: Record<string, string>): Promise<ChildRun> {
    const environment = childEnvironment({ ...NOTHING_SET, LOG_LEVEL: 'fatal', ...env });
    const piece: Piece<ChildRun> = childPiece(name, new URL(script, import.meta.url), environment);
    const started = piece.start(this.stopping.signal);
    this.starts.push(started);
    return started;
  }
}

function addresses(postgres: EmbeddedPostgres): Record<string, string> {
  return {
    DATABASE_URL: postgres.url(DATABASE, 'api'),
    DATABASE_BACKGROUND_URL: postgres.url(DATABASE, 'background'),
    DATABASE_OWNER_URL: postgres.url(DATABASE),
  };
}

function up(run: ChildRun | undefined): ChildRun {
  if (!run) throw new Error('the demo has not started it yet');
  return run;
}
