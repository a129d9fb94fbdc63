import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { newId } from '../kernel/ids.js';

/**
 * So many deliveries of an endpoint wait at most; the events after them wait where they are. An endpoint that is down has no
 * more than this to be looked at, sent or deleted.
 */
export const LOOK_AHEAD = 200;
/** Endpoints of one round. */
const ENDPOINTS = 50;

const PENDING = `(SELECT count(*) FROM webhook_deliveries d WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND d.status = 'pending')`;

/**
 * Events beyond an endpoint's position that stay where they are: transactions end in another order than they begin, so one
 * that may still write events before these must have ended.
 */
const BEYOND = `
  v.account_id = e.account_id AND (v.transaction_id, v.id) > (e.position_transaction, e.position_event)
  AND v.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;

const BEHIND = `
  SELECT e.account_id, e.id FROM webhook_endpoints e
   WHERE e.status = 'enabled' AND EXISTS (SELECT FROM events v WHERE ${BEYOND}) AND ${PENDING} < ${LOOK_AHEAD}
   ORDER BY random() LIMIT ${ENDPOINTS}`;

/** Deliveries and the position that says so, or neither. */
const ADVANCE = `
  WITH e AS (
         SELECT e.*, ${LOOK_AHEAD} - ${PENDING} AS room FROM webhook_endpoints e
          WHERE e.account_id = $1 AND e.id = $2 AND e.status = 'enabled' FOR UPDATE SKIP LOCKED),
       read AS (
         SELECT v.*, ($3::uuid[])[row_number() OVER (ORDER BY v.transaction_id, v.id)] AS delivery_id
           FROM e CROSS JOIN LATERAL (
                  SELECT v.* FROM events v WHERE ${BEYOND} ORDER BY v.transaction_id, v.id LIMIT greatest(e.room, 0)) v),
       made AS (
         INSERT INTO webhook_deliveries (account_id, id, endpoint_id, event_id, event_type, resource_type, resource_id, resource_version,
                                         next_attempt_at, created_at)
         SELECT r.account_id, r.delivery_id, e.id, r.id, r.type, r.resource_type, r.resource_id, r.resource_version, now(), now()
           FROM read r CROSS JOIN e WHERE e.types && ARRAY['*', r.type]
         ON CONFLICT (account_id, endpoint_id, event_id) DO NOTHING),
       last AS (SELECT transaction_id, id FROM read ORDER BY transaction_id DESC, id DESC LIMIT 1)
  UPDATE webhook_endpoints w SET position_transaction = last.transaction_id, position_event = last.id
    FROM last WHERE w.account_id = $1 AND w.id = $2`;

/** Turns events into deliveries, one for each endpoint that wants the type. Replicas share the work: an endpoint is in one's hands. */
@Injectable()
export class FanOut {
  constructor(@InjectDataSource(BACKGROUND) private readonly dataSource: DataSource) {}

  /** One round; true where an endpoint went on, so that there may be more. @throws the database's error */
  async run(): Promise<boolean> {
    const behind = await this.dataSource.query<{ account_id: string; id: string }[]>(BEHIND);
    let advanced = 0;
    for (const { account_id, id } of behind) {
      const ids = Array.from({ length: LOOK_AHEAD }, newId);
      const [, count] = await this.dataSource.query<[unknown[], number]>(ADVANCE, [account_id, id, ids]);
      advanced += count;
    }
    return advanced > 0;
  }
}
