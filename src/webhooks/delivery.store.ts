import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { bulkhead } from 'cockatiel';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import type { Attempt } from './delivery.entity.js';
import { claimDue, type Claimed, type Wanted } from './due-deliveries.js';
import type { DisabledReason } from './endpoint.entity.js';
import { DEAD_AFTER, DISABLED_AFTER, SHORTEST_PAUSE_S, pauseAfter } from './retry-schedule.js';

/** Attempts that are remembered of a delivery. */
const REMEMBERED = 50;

/**
 * Ends an attempt, unless it has lost its lease to a later one. `times`: what it takes of times beside `now`; told beside the rows, since in an
 * UPDATE of rows on another server no function of times may be asked within a CASE, or of a column.
 */
const settle = (then: string, times = ''): string => `
  UPDATE webhook_deliveries d SET lease_until = NULL, ${then},
         attempts = CASE WHEN jsonb_array_length(d.attempts) < ${REMEMBERED} THEN d.attempts ELSE d.attempts - 0 END || jsonb_set($4::jsonb, '{at}', t.at)
    FROM (SELECT now() AS now, to_jsonb(to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS at${times}) t
   WHERE d.account_id = $1 AND d.id = $2 AND d.attempt = $3 AND d.status = 'pending' RETURNING d.endpoint_id, d.status`;

const DELIVERED = `
  WITH settled AS (${settle(`status = 'delivered', completed_at = t.now, next_attempt_at = NULL`)}),
       works AS (
         UPDATE webhook_endpoints e SET failing_since = NULL FROM settled s
          WHERE e.account_id = $1 AND e.id = s.endpoint_id AND e.failing_since IS NOT NULL)
  SELECT FROM settled`;

/** $7: how many seconds to wait where $8 attempts had failed before; to whoever enabled the endpoint meanwhile this is the first one. */
const FAILED = `
  WITH settled AS (${settle(
    `failures = d.failures + 1, failing_since = coalesce(d.failing_since, t.now),
         status = CASE WHEN d.failing_since <= t.dead_since THEN 'dead' ELSE 'pending' END,
         completed_at = CASE WHEN d.failing_since <= t.dead_since THEN t.now END,
         next_attempt_at = CASE WHEN d.failing_since <= t.dead_since THEN NULL WHEN d.failures = $8 THEN t.later ELSE t.soon END`,
    `,
                 now() - interval '${DEAD_AFTER}' AS dead_since, now() + $7::float8 * interval '1 second' AS later,
                 now() + interval '${SHORTEST_PAUSE_S} seconds' AS soon`,
  )}),
       fails AS (
         UPDATE webhook_endpoints e
            SET failing_since = coalesce(e.failing_since, t.now),
                status = CASE WHEN $5 OR e.failing_since <= t.off_since THEN 'disabled' ELSE e.status END,
                disabled_reason = CASE WHEN $5 THEN 'gone' WHEN e.failing_since <= t.off_since THEN 'failing' ELSE e.disabled_reason END
           FROM settled s, (SELECT now() AS now, now() - interval '${DISABLED_AFTER}' AS off_since) t
          WHERE e.account_id = $1 AND e.id = s.endpoint_id AND e.status = 'enabled' AND e.url = $6
         RETURNING CASE WHEN e.status = 'disabled' THEN e.disabled_reason END AS reason)
  SELECT s.status = 'dead' AS dead, reason AS "disabledReason" FROM settled s LEFT JOIN fails ON true`;

/** Its event is purged: there is nothing to send. */
const GIVEN_UP = settle(`status = 'dead', completed_at = t.now, next_attempt_at = NULL`);

const RELEASE = `UPDATE webhook_deliveries SET lease_until = NULL WHERE account_id = $1 AND id = $2 AND attempt = $3 AND status = 'pending'`;

/** What a failed attempt led to. */
export interface Failed {
  /** It was the last one of its delivery. */
  dead: boolean;
  /** Why its endpoint was disabled by it. */
  disabledReason: DisabledReason | null;
}

/** Deliveries as the background sees them: which are due, and what became of an attempt. */
@Injectable()
export class DeliveryStore {
  /** Of the few connections so many: recovery and purge have the others. */
  private readonly connections = bulkhead(2, Infinity);

  constructor(@InjectDataSource(BACKGROUND) private readonly dataSource: DataSource) {}

  /**
   * At most `count` deliveries that are due, of endpoints that fail or of those that don't, so that of each endpoint at most
   * `perEndpoint` are under way: each is this process's until its lease ends. @throws the database's error
   */
  claim(wanted: Wanted): Promise<Claimed[]> {
    return this.connections.execute(() => claimDue(this.dataSource, wanted));
  }

  /** The receiver took it. False: the delivery is a later attempt's. */
  async delivered(claimed: Claimed, attempt: Omit<Attempt, 'at'>): Promise<boolean> {
    return (await this.query<object[]>(DELIVERED, valuesOf(claimed, attempt))).length > 0;
  }

  /** It didn't: tries again later, or gives up. `gone`: it wants none any more. */
  async failed(claimed: Claimed, attempt: Omit<Attempt, 'at'>, gone: boolean): Promise<Failed> {
    const [row] = await this.query<Failed[]>(FAILED, [
      ...valuesOf(claimed, attempt),
      gone,
      // What another receiver has answered says nothing of the one that the endpoint has by now.
      claimed.url,
      pauseAfter(claimed.failures),
      claimed.failures,
    ]);
    return row ?? { dead: false, disabledReason: null };
  }

  /** There is nothing to send. False: the delivery is a later attempt's. */
  async giveUp(claimed: Claimed): Promise<boolean> {
    const attempt = { attempt: claimed.attempt, status: null, error: 'event-purged', ms: 0 };
    const [, count] = await this.query<[unknown, number]>(GIVEN_UP, valuesOf(claimed, attempt));
    return count > 0;
  }

  /** It was cut off by the end of this process: another one sends it. */
  async release({ accountId, id, attempt }: Claimed): Promise<void> {
    await this.query(RELEASE, [accountId, id, attempt]);
  }

  private query<T>(statement: string, values: unknown[]): Promise<T> {
    return this.connections.execute(() => this.dataSource.query<T>(statement, values));
  }
}

function valuesOf({ accountId, id, attempt }: Claimed, log: Omit<Attempt, 'at'>): unknown[] {
  return [accountId, id, attempt, JSON.stringify({ attempt: log.attempt, at: '', status: log.status, error: log.error, ms: log.ms })];
}
