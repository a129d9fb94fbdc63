import type { Pool, PoolClient } from 'pg';
import { inTransaction } from './database.js';
import type { ChargeRequest, RefundRequest } from './requests.js';
import { CHARGE, REFUND, iso, newId, rows, withoutNull, type ChargeRow, type Found, type Metadata, type RefundRow } from './rows.js';

/** What is remembered under a key and sent to whoever comes with it; `body` is JSON, the same bytes every time. */
interface Result {
  kind: 'result';
  /** whether this very request had the effect, rather than an earlier one with its key */
  first: boolean;
  status: number;
  body: string;
}

/** What came of a request. All but `result` changed nothing and are not remembered. */
export type Outcome = Result | { kind: 'key-reused' } | { kind: 'failed' } | { kind: 'charge-unknown' } | { kind: 'currency-mismatch' };

/** How a charge is to go: declined, or made after `failures` failed attempts with its key. */
export type Verdict = { declineCode: string } | { declineCode: null; failures: number };

/** An event that is due, as it goes out. */
export interface DueEvent {
  id: string;
  body: string;
}

/** Every SQL statement of the sandbox but the tables themselves. Each public method is one transaction. */
export class Ledger {
  /** @param announce whether effects write events; without a receiver they would pile up for one that comes much later */
  constructor(
    private readonly pool: Pool,
    private readonly announce: boolean,
  ) {}

  /** Lists a request, whatever becomes of it. */
  async listRequest(method: string, path: string, key: string | null, reference: string | null): Promise<void> {
    // Not waiting for the disk here halves the price of a request; the effect's own COMMIT flushes this line with it.
    await this.pool.query(
      `WITH lax AS (SELECT set_config('synchronous_commit', 'off', true))
       INSERT INTO requests (method, path, key, reference) SELECT $1, $2, $3, $4 FROM lax`,
      [method, path, key, reference],
    );
  }

  charge(key: string, request: ChargeRequest, verdict: Verdict): Promise<Outcome> {
    return this.once(key, { path: '/charges', ...request }, async (client) => {
      const { reference, amount, currency, source, metadata } = request;
      if (verdict.declineCode !== null) {
        const declined = { id: null, status: 'declined', declineCode: verdict.declineCode, reference };
        await this.write(client, 'charge.declined', { ...declined, key, amount, currency, source });
        return { status: 402, body: declined };
      }
      if (verdict.failures > 0 && (await countAttempt(client, key)) <= verdict.failures) return { kind: 'failed' };
      const charge = {
        id: newId('ch'),
        status: 'succeeded',
        reference,
        amount,
        currency,
        source,
        createdAt: new Date().toISOString(),
        metadata,
      };
      await client.query(
        'INSERT INTO charges (id, key, reference, amount, currency, source, created_at, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
        [charge.id, key, reference, amount, currency, source, charge.createdAt, metadata ?? null],
      );
      await this.write(client, 'charge.succeeded', { ...charge, key });
      return { status: 201, body: charge };
    });
  }

  /** @param declineCodeOf with which code refunds of a charge of this source are declined; null: they are made */
  refund(key: string, request: RefundRequest, declineCodeOf: (source: string) => string | null): Promise<Outcome> {
    return this.once(key, { path: '/refunds', ...request }, async (client) => {
      const { reference, chargeId, amount, metadata } = request;
      // The lock comes first and the sum in a statement of its own, whose snapshot then includes all earlier refunds.
      const [charge] = await rows<{ amount: number; currency: string; source: string }>(
        client.query('SELECT amount::float8 AS amount, currency, source FROM charges WHERE id = $1 FOR NO KEY UPDATE', [chargeId]),
      );
      if (!charge) return { kind: 'charge-unknown' };
      const { currency } = charge;
      if (request.currency !== undefined && request.currency !== currency) return { kind: 'currency-mismatch' };
      const [refunded] = await rows<{ sum: number }>(
        client.query('SELECT coalesce(sum(amount), 0)::float8 AS sum FROM refunds WHERE charge_id = $1', [chargeId]),
      );
      const exceeds = (refunded?.sum ?? 0) + amount > charge.amount;
      const code = exceeds ? 'refund_exceeds_charge' : declineCodeOf(charge.source);
      if (code !== null) {
        const message = exceeds ? 'the refunds of a charge can not exceed it' : 'refunds of this charge are declined';
        return { status: 402, body: { id: null, status: 'declined', declineCode: code, chargeId, reference, error: { code, message } } };
      }
      const createdAt = new Date().toISOString();
      const refund = { id: newId('rf'), status: 'succeeded', chargeId, reference, amount, currency, createdAt, metadata };
      await client.query(
        'INSERT INTO refunds (id, charge_id, key, reference, amount, currency, created_at, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
        [refund.id, chargeId, key, reference, amount, currency, createdAt, metadata ?? null],
      );
      await this.write(client, 'refund.succeeded', { ...refund, key });
      return { status: 201, body: refund };
    });
  }

  /** The charges with this reference, oldest first. */
  async findCharges(reference: string) {
    const found = this.pool.query(`SELECT ${CHARGE}, 'succeeded' AS status, metadata FROM charges WHERE reference = $1 ORDER BY seq`, [
      reference,
    ]);
    return { data: withoutNull(await rows<ChargeRow & Found>(found)) };
  }

  /** The refunds with this reference, oldest first. */
  async findRefunds(reference: string) {
    const found = this.pool.query(`SELECT ${REFUND}, 'succeeded' AS status, metadata FROM refunds WHERE reference = $1 ORDER BY seq`, [
      reference,
    ]);
    return { data: withoutNull(await rows<RefundRow & Found>(found)) };
  }

  /** All effects and all requests, oldest first, as of one moment. */
  readAll() {
    return inTransaction(this.pool, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async (client) => ({
      charges: withoutNull(
        await rows<ChargeRow & Metadata & { key: string }>(client.query(`SELECT ${CHARGE}, key, metadata FROM charges ORDER BY seq`)),
      ),
      refunds: withoutNull(
        await rows<RefundRow & Metadata & { key: string }>(client.query(`SELECT ${REFUND}, key, metadata FROM refunds ORDER BY seq`)),
      ),
      requests: await rows<{ method: string; path: string; key: string | null; reference: string | null; at: string }>(
        client.query(`SELECT method, path, key, reference, ${iso('at')} AS at FROM requests ORDER BY seq`),
      ),
    }));
  }

  /**
   * Takes events that are due and, in the same statement, sets when each is due again should its delivery fail: after
   * 0.5 s, doubling to at most 30 s. Two processes never take the same one at once.
   */
  takeDueEvents(most: number): Promise<DueEvent[]> {
    return rows<DueEvent>(
      this.pool.query(
        `UPDATE events
         SET deliveries = deliveries + 1, next_delivery_at = clock_timestamp() + least(30, 0.5 * 2 ^ least(deliveries, 10)) * interval '1 second'
         WHERE id IN (SELECT id FROM events WHERE next_delivery_at <= clock_timestamp() ORDER BY next_delivery_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id, body`,
        [most],
      ),
    );
  }

  async forgetEvent(id: string): Promise<void> {
    await this.pool.query('DELETE FROM events WHERE id = $1', [id]);
  }

  /** One effect per key: the lock makes a second request wait for the first, and then see its result. */
  private once(
    key: string,
    parameters: object,
    decide: (client: PoolClient) => Promise<{ status: number; body: object } | Exclude<Outcome, Result>>,
  ): Promise<Outcome> {
    return inTransaction(this.pool, 'BEGIN', async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
      const asJson = JSON.stringify(parameters);
      const [earlier] = await rows<{ status: number; body: string; same: boolean }>(
        client.query('SELECT status, body, parameters = $2::jsonb AS same FROM results WHERE key = $1', [key, asJson]),
      );
      if (earlier)
        return earlier.same ? { kind: 'result', first: false, status: earlier.status, body: earlier.body } : { kind: 'key-reused' };
      const decision = await decide(client);
      if ('kind' in decision) return decision;
      const body = JSON.stringify(decision.body);
      await client.query('INSERT INTO results (key, parameters, status, body) VALUES ($1, $2, $3, $4)', [
        key,
        asJson,
        decision.status,
        body,
      ]);
      return { kind: 'result', first: true, status: decision.status, body };
    });
  }

  private async write(client: PoolClient, type: string, data: object): Promise<void> {
    if (!this.announce) return;
    const event = { id: newId('evt'), type, createdAt: new Date().toISOString(), data };
    await client.query('INSERT INTO events (id, body) VALUES ($1, $2)', [event.id, JSON.stringify(event)]);
  }
}

async function countAttempt(client: PoolClient, key: string): Promise<number> {
  const more = 'ON CONFLICT (key) DO UPDATE SET failures = attempts.failures + 1 RETURNING failures';
  const attempt = client.query(`INSERT INTO attempts (key, failures) VALUES ($1, 1) ${more}`, [key]);
  return (await rows<{ failures: number }>(attempt))[0]?.failures ?? 1;
}
