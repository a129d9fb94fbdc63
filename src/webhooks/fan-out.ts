import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { newId, publicId } from '../kernel/ids.js';

/**
 * So many deliveries of an endpoint wait at most; the events after them wait where they are. An endpoint that is down has no
 * more than this to be looked at, sent or deleted.
 */
export const LOOK_AHEAD = 200;
/** Endpoints of one round. */
const ENDPOINTS = 50;

const pendingOf = (account: string): string =>
  `(SELECT count(*) FROM webhook_deliveries d WHERE d.account_id = ${account} AND d.endpoint_id = e.id AND d.status = 'pending')`;

/**
 * Events beyond an endpoint's position that stay where they are: transactions end in another order than they begin, so one
 * that may still write events before these must have ended.
 */
export const BEYOND = `
  v.account_id = e.account_id AND (v.transaction_id, v.id) > (e.position_transaction, e.position_event)
  AND v.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;

const BEHIND = `
  SELECT e.account_id, e.id FROM webhook_endpoints e
   WHERE e.status = 'enabled' AND EXISTS (SELECT FROM events v WHERE ${BEYOND}) AND ${pendingOf('e.account_id')} < ${LOOK_AHEAD}
   ORDER BY random() LIMIT ${ENDPOINTS}`;

/** Replicas share the work: an endpoint is in one's hands. */
const LOCK = `
  SELECT e.types, greatest(${LOOK_AHEAD} - ${pendingOf('$1')}, 0)::int AS room
    FROM webhook_endpoints e WHERE e.account_id = $1 AND e.id = $2 AND e.status = 'enabled' FOR UPDATE SKIP LOCKED`;

/**
 * The next events, and with each of them all that tell of earlier versions of its resource: of two transactions that changed it,
 * the one that began later may have changed it first. They are committed by then, since the other one waited for them.
 */
const READ = `
  WITH batch AS (
         SELECT v.* FROM webhook_endpoints e JOIN events v ON ${BEYOND}
          WHERE e.account_id = $1 AND e.id = $2 ORDER BY v.transaction_id, v.id LIMIT $3),
       last AS (SELECT transaction_id, id FROM batch ORDER BY transaction_id DESC, id DESC LIMIT 1),
       earlier AS (
         SELECT DISTINCT v.transaction_id, v.id
           FROM batch b JOIN events v ON v.account_id = $1 AND v.resource_id = b.resource_id AND v.resource_type = b.resource_type
                                     AND v.resource_version < b.resource_version
          WHERE (v.transaction_id, v.id) > (SELECT transaction_id, id FROM last))
  SELECT id, transaction_id, false AS early FROM batch UNION ALL SELECT id, transaction_id, true FROM earlier ORDER BY transaction_id, id`;

const INSERT = `
  INSERT INTO webhook_deliveries (account_id, id, endpoint_id, event_id, event_type, resource_type, resource_id, resource_version,
                                  next_attempt_at, created_at)
  SELECT v.account_id, n.id, $2, v.id, v.type, v.resource_type, v.resource_id, v.resource_version, now(), now()
    FROM unnest($3::uuid[], $4::uuid[]) AS n (event_id, id) JOIN events v ON v.account_id = $1 AND v.id = n.event_id
   WHERE $5::text[] && ARRAY['*', v.type]
      ON CONFLICT (account_id, endpoint_id, event_id) DO NOTHING`;

const MOVE = `UPDATE webhook_endpoints SET position_transaction = $3, position_event = $4 WHERE account_id = $1 AND id = $2`;

interface NextEvent {
  id: string;
  transaction_id: string;
  /** Beyond the position that is reached: it comes along again. */
  early: boolean;
}

/** Turns events into deliveries, one for each endpoint that wants the type. */
@Injectable()
export class FanOut {
  private readonly log = new Logger('Webhooks');

  constructor(@InjectDataSource(BACKGROUND) private readonly dataSource: DataSource) {}

  /** One round; true where an endpoint went on, so that there may be more. @throws the database's error */
  async run(): Promise<boolean> {
    const behind = await this.dataSource.query<{ account_id: string; id: string }[]>(BEHIND);
    let advanced = false;
    for (const { account_id, id } of behind) {
      // One that can't go on keeps no other from it.
      advanced = (await this.advance(account_id, id).catch((error: unknown) => this.report(id, error))) || advanced;
    }
    return advanced;
  }

  private report(id: string, error: unknown): false {
    this.log.warn({ err: error, endpoint: publicId('we', id) }, 'the events of an endpoint could not become deliveries');
    return false;
  }

  /** Deliveries and the position that says so are committed together. */
  private advance(accountId: string, id: string): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const [endpoint] = await manager.query<{ types: string[]; room: number }[]>(LOCK, [accountId, id]);
      const events = endpoint ? await manager.query<NextEvent[]>(READ, [accountId, id, endpoint.room]) : [];
      const last = events.findLast(({ early }) => !early);
      if (!endpoint || !last) return false;
      const eventIds = events.map((event) => event.id);
      await manager.query(INSERT, [accountId, id, eventIds, eventIds.map(newId), endpoint.types]);
      await manager.query(MOVE, [accountId, id, last.transaction_id, last.id]);
      return true;
    });
  }
}
