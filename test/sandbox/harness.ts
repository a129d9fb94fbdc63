import { setTimeout as sleep } from 'node:timers/promises';
import { buildSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

interface Effect {
  id: string;
  key: string;
  reference: string;
  amount: number;
}

interface Ledger {
  charges: Effect[];
  refunds: (Effect & { chargeId: string })[];
  requests: { method: string; path: string; key: string | null; reference: string | null; at: string }[];
}

interface Answer {
  status: number;
  text: string;
  body: Record<string, unknown>;
}

let counter = 0;

/** A key that no other test of the file uses. */
export const freshKey = () => `key-${++counter}`;

/** The body that `charge` sends with this key. */
export const order = (key: string, source = 'tok_visa') => ({ reference: `ref-${key}`, amount: 2500, currency: 'EUR', source });

/** Expects the connection to be cut, or nothing to come before the request's own time limit. */
export const noAnswer = (request: Promise<Answer>) => expect(request).rejects.toThrow(/fetch failed|timeout/);

/** Waits up to 5 s for an expectation to hold. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (const deadline = Date.now() + 5_000; ; await sleep(20)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** One sandbox on an empty database for the tests of a file, without faults at the start of each. */
export class Harness {
  url = '';
  database: TestDatabase;
  private sandbox: Sandbox;

  constructor() {
    beforeAll(async () => {
      this.database = await createDatabase();
      await this.start();
    });
    afterEach(() => this.faults({}));
    afterAll(async () => {
      await this.sandbox.close();
      await this.database.drop();
    });
  }

  async restart(options: Partial<SandboxOptions> = {}): Promise<void> {
    await this.sandbox.close();
    await this.start(options);
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, waitMs = 10_000): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      signal: AbortSignal.timeout(waitMs),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) as Record<string, unknown> };
  }

  get = (path: string) => this.send('GET', path);
  post = (path: string, key: string, body: unknown, waitMs?: number) => this.send('POST', path, body, { 'idempotency-key': key }, waitMs);
  charge = (key: string, source?: string, waitMs?: number) => this.post('/charges', key, order(key, source), waitMs);
  refund = (key: string, chargeId: unknown, amount: number, more: object = {}) =>
    this.post('/refunds', key, { reference: `ref-${key}`, chargeId, amount, ...more });
  faults = (faults: unknown) => this.send('PUT', '/faults', faults);

  ledger = async () => (await this.get('/ledger')).body as unknown as Ledger;
  chargesOf = async (key: string) => (await this.ledger()).charges.filter((made) => made.key === key);
  requestsOf = async (key: string) => (await this.ledger()).requests.filter((made) => made.key === key);

  private async start(options: Partial<SandboxOptions> = {}): Promise<void> {
    this.sandbox = await buildSandbox({ databaseUrl: this.database.url, ...options });
    this.url = await this.sandbox.listen(0, '127.0.0.1');
  }
}
