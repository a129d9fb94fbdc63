import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { bulkhead } from 'cockatiel';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { eventView, type ToldEvent } from '../events/event.view.js';
import type { Attempt } from './delivery.entity.js';
import type { DisabledReason } from './endpoint.entity.js';
import { DEAD_AFTER, DISABLED_AFTER, FIRST_PAUSE_S, LONGEST_PAUSE_S } from './retry-schedule.js';

/** How long one attempt holds its delivery, in milliseconds; longer than a receiver may take, so that no two are under way. */
const LEASE_MS = 30_000;
/** Attempts that are remembered of a delivery. */
const REMEMBERED = 50;

/** Due, and none of an earlier version of its resource is pending. */
const CLAIM = `
  WITH due AS (
    SELECT d.account_id, d.id, d.endpoint_id, d.event_id, d.body, e.url, e.secret,
           CASE WHEN e.previous_valid_until > now() THEN e.previous_secret END AS previous_secret
      FROM webhook_endpoints e
     CROSS JOIN LATERAL (
           SELECT d.* FROM webhook_deliveries d
            WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND d.status = 'pending' AND d.next_attempt_at <= now()
              AND (d.lease_until IS NULL OR d.lease_until <= now())
              AND NOT EXISTS (
                    SELECT FROM webhook_deliveries o
                     WHERE o.account_id = d.account_id AND o.endpoint_id = d.endpoint_id AND o.status = 'pending'
                       AND o.resource_id = d.resource_id AND o.resource_type = d.resource_type
                       AND (o.resource_version, o.event_id) < (d.resource_version, d.event_id))
            ORDER BY d.next_attempt_at
            LIMIT greatest(0, $3 - (
                    SELECT count(*) FROM webhook_deliveries u
                     WHERE u.account_id = e.account_id AND u.endpoint_id = e.id AND u.status = 'pending' AND u.lease_until > now()))
              FOR UPDATE SKIP LOCKED) d
     WHERE e.status = 'enabled' AND (e.failing_since IS NOT NULL) = $1
     ORDER BY d.next_attempt_at LIMIT $2)
  UPDATE webhook_deliveries d SET attempt = d.attempt + 1, lease_until = now() + interval '${LEASE_MS} milliseconds'
    FROM due LEFT JOIN events v ON v.account_id = due.account_id AND v.id = due.event_id
   WHERE d.account_id = due.account_id AND d.id = due.id
  RETURNING d.account_id AS "accountId", d.id, d.endpoint_id AS "endpointId", d.attempt, due.url, due.secret, due.previous_secret AS "previousSecret", d.event_id AS "eventId",
            extract(epoch FROM now() - coalesce(v.created_at, d.created_at))::float8 AS "ageSeconds", due.body, v.type, v.created_at AS "createdAt", v.operation_id AS "operationId", v.idempotency_key AS "idempotencyKey", v.traceparent,
            v.resource_type AS "resourceType", v.resource_id AS "resourceId", v.resource_version AS "resourceVersion", v.data`;

/** Ends an attempt, unless it has lost its lease to a later one. */
const settle = (then: string): string => `
  UPDATE webhook_deliveries d SET lease_until = NULL, ${then},
         attempts = CASE WHEN jsonb_array_length(d.attempts) < ${REMEMBERED} THEN d.attempts ELSE d.attempts - 0 END
                    || jsonb_set($4::jsonb, '{at}', to_jsonb(to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
   WHERE d.account_id = $1 AND d.id = $2 AND d.attempt = $3 AND d.status = 'pending' RETURNING d.account_id, d.endpoint_id, d.status`;

const DELIVERED = `
  WITH settled AS (${settle(`status = 'delivered', completed_at = now(), next_attempt_at = NULL`)}),
       works AS (
         UPDATE webhook_endpoints e SET failing_since = NULL FROM settled s
          WHERE e.account_id = s.account_id AND e.id = s.endpoint_id AND e.failing_since IS NOT NULL)
  SELECT FROM settled`;

const IS_OVER = `coalesce(d.failing_since, now()) <= now() - interval '${DEAD_AFTER}'`;
const FAILED = `
  WITH settled AS (${settle(`
         failures = d.failures + 1, failing_since = coalesce(d.failing_since, now()),
         status = CASE WHEN ${IS_OVER} THEN 'dead' ELSE 'pending' END, completed_at = CASE WHEN ${IS_OVER} THEN now() END,
         next_attempt_at = CASE WHEN NOT ${IS_OVER} THEN now() + interval '1 second' * greatest(1, random() *
           least(${LONGEST_PAUSE_S}, ${FIRST_PAUSE_S} * 2.0 ^ least(d.failures, 20))) END`)}),
       fails AS (
         UPDATE webhook_endpoints e
            SET failing_since = coalesce(e.failing_since, now()),
                status = CASE WHEN $5 OR e.failing_since <= now() - interval '${DISABLED_AFTER}' THEN 'disabled' ELSE e.status END,
                disabled_reason = CASE WHEN $5 THEN 'gone' WHEN e.failing_since <= now() - interval '${DISABLED_AFTER}' THEN 'failing' ELSE e.disabled_reason END
           FROM settled s WHERE e.account_id = s.account_id AND e.id = s.endpoint_id AND e.status = 'enabled' AND e.url = $6
         RETURNING CASE WHEN e.status = 'disabled' THEN e.disabled_reason END AS reason)
  SELECT s.status = 'dead' AS dead, reason AS "disabledReason" FROM settled s LEFT JOIN fails ON true`;

/** Its event is purged: there is nothing to send. */
const GIVEN_UP = settle(`status = 'dead', completed_at = now(), next_attempt_at = NULL`);

const RELEASE = `UPDATE webhook_deliveries SET lease_until = NULL WHERE account_id = $1 AND id = $2 AND attempt = $3 AND status = 'pending'`;

interface ClaimedRow extends Omit<ToldEvent, 'id' | 'type'> {
  accountId: string;
  id: string;
  endpointId: string;
  attempt: number;
  url: string;
  secret: string;
  previousSecret: string | null;
  eventId: string;
  ageSeconds: number;
  body: string | null;
  /** Null where the event is purged. */
  type: string | null;
  /** Null where it was not traced, too. */
  traceparent: string | null;
}

/** A delivery that is in this process's hands for one attempt. */
export interface Claimed {
  accountId: string;
  id: string;
  endpointId: string;
  attempt: number;
  url: string;
  secrets: string[];
  eventId: string;
  /** uuid of the operation that made the event; null where that is unknown. */
  operationId: string | null;
  /** The client's key of that operation. */
  idempotencyKey: string | null;
  /** Age of the event when it was claimed. */
  ageSeconds: number;
  /** Null where its event is purged. */
  body: string | null;
  /** Of what made the event true; null where that was not traced. */
  traceparent: string | null;
}

/** Which deliveries are claimed, and how many. */
export interface Wanted {
  failing: boolean;
  count: number;
  perEndpoint: number;
}

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
  async claim({ failing, count, perEndpoint }: Wanted): Promise<Claimed[]> {
    const [rows] = await this.query<[ClaimedRow[], number]>(CLAIM, [failing, count, perEndpoint]);
    return rows.map((row) => ({
      accountId: row.accountId,
      id: row.id,
      endpointId: row.endpointId,
      attempt: row.attempt,
      url: row.url,
      secrets: [row.secret, row.previousSecret].filter((secret) => secret !== null),
      eventId: row.eventId,
      operationId: row.operationId,
      idempotencyKey: row.idempotencyKey,
      ageSeconds: row.ageSeconds,
      traceparent: row.traceparent,
      body: row.body ?? (row.type === null ? null : JSON.stringify(eventView({ ...row, id: row.eventId, type: row.type }))),
    }));
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
