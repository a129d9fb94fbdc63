import type { DataSource } from 'typeorm';
import { eventView, type ToldEvent } from '../events/event.view.js';
import { isDistributed } from '../idempotency/index.js';

/** How long one attempt holds its delivery, in milliseconds; longer than a receiver may take, so that no two are under way. */
const LEASE_MS = 30_000;
const IS_DUE = `d.status = 'pending' AND d.next_attempt_at <= now() AND (d.lease_until IS NULL OR d.lease_until <= now())`;
const IS_WANTED = `e.status = 'enabled' AND (e.failing_since IS NOT NULL) = $1`;

/** Due, and none of an earlier version of its resource is pending. `own(alias)`: a condition for each table, with AND behind it. */
const claim = (own: (alias: string) => string): string => `
  WITH due AS (
    SELECT d.account_id, d.id, d.endpoint_id, d.event_id, d.failures, d.created_at, d.body, e.url, e.secret,
           CASE WHEN e.previous_valid_until > now() THEN e.previous_secret END AS previous_secret
      FROM webhook_endpoints e
     CROSS JOIN LATERAL (
           SELECT d.* FROM webhook_deliveries d
            WHERE ${own('d')} d.account_id = e.account_id AND d.endpoint_id = e.id AND ${IS_DUE}
              AND NOT EXISTS (
                    SELECT FROM webhook_deliveries o
                     WHERE ${own('o')} o.account_id = d.account_id AND o.endpoint_id = d.endpoint_id AND o.status = 'pending'
                       AND o.resource_id = d.resource_id AND o.resource_type = d.resource_type
                       AND (o.resource_version, o.event_id) < (d.resource_version, d.event_id))
            ORDER BY d.next_attempt_at
            LIMIT greatest(0, $3 - (
                    SELECT count(*) FROM webhook_deliveries u
                     WHERE ${own('u')} u.account_id = e.account_id AND u.endpoint_id = e.id AND u.status = 'pending' AND u.lease_until > now()))
              FOR UPDATE SKIP LOCKED) d
     WHERE ${own('e')} ${IS_WANTED}
     ORDER BY d.next_attempt_at LIMIT $2),
  told AS (
    SELECT due.account_id AS "accountId", due.id, due.endpoint_id AS "endpointId", due.event_id AS "eventId", due.failures, due.body, due.url, due.secret,
           due.previous_secret AS "previousSecret", extract(epoch FROM now() - coalesce(v.created_at, due.created_at))::float8 AS "ageSeconds",
           v.type, v.created_at AS "createdAt", v.operation_id AS "operationId", v.idempotency_key AS "idempotencyKey", v.traceparent,
           v.resource_type AS "resourceType", v.resource_id AS "resourceId", v.resource_version AS "resourceVersion", v.data
      FROM due LEFT JOIN events v ON ${own('v')} v.account_id = due.account_id AND v.id = due.event_id)
  UPDATE webhook_deliveries d SET attempt = d.attempt + 1, lease_until = now() + interval '${LEASE_MS} milliseconds'
    FROM told WHERE ${own('d')} d.account_id = told."accountId" AND d.id = told.id
  RETURNING d.attempt, told.*`;

const CLAIM = claim(() => '');
/** Of one account, $4, whose rows lie on one server. */
const CLAIM_OF_ACCOUNT = claim((alias) => `${alias}.account_id = $4 AND`);

/** Accounts with deliveries that are due, where each server has a part of them. */
const FIND_ACCOUNTS = `
  SELECT account_id FROM (
    SELECT DISTINCT e.account_id FROM webhook_endpoints e
     WHERE ${IS_WANTED} AND EXISTS (SELECT FROM webhook_deliveries d WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND ${IS_DUE})) AS due
   ORDER BY random() LIMIT $2`;

interface ClaimedRow extends Omit<ToldEvent, 'id' | 'type'> {
  accountId: string;
  id: string;
  endpointId: string;
  attempt: number;
  url: string;
  secret: string;
  previousSecret: string | null;
  eventId: string;
  failures: number;
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
  /** So many attempts have failed before. */
  failures: number;
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

/** Makes deliveries that are due this process's until their leases end. @throws the database's error */
export async function claimDue(dataSource: DataSource, wanted: Wanted): Promise<Claimed[]> {
  const { failing, count, perEndpoint } = wanted;
  const rows = isDistributed(dataSource)
    ? await claimByAccounts(dataSource, wanted)
    : await rowsOf<ClaimedRow>(dataSource, CLAIM, [failing, count, perEndpoint]);
  return rows.map((row) => ({
    accountId: row.accountId,
    id: row.id,
    endpointId: row.endpointId,
    attempt: row.attempt,
    failures: row.failures,
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

async function claimByAccounts(dataSource: DataSource, { failing, count, perEndpoint }: Wanted): Promise<ClaimedRow[]> {
  const rows: ClaimedRow[] = [];
  for (const { account_id: accountId } of await dataSource.query<{ account_id: string }[]>(FIND_ACCOUNTS, [failing, count])) {
    if (rows.length >= count) break;
    rows.push(...(await rowsOf<ClaimedRow>(dataSource, CLAIM_OF_ACCOUNT, [failing, count - rows.length, perEndpoint, accountId])));
  }
  return rows;
}

/** What an UPDATE returns. */
async function rowsOf<Row>(dataSource: DataSource, statement: string, values: unknown[]): Promise<Row[]> {
  const [rows] = await dataSource.query<[Row[], number]>(statement, values);
  return rows;
}
