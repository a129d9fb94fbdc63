import { Injectable } from '@nestjs/common';
import { ScheduledPurge } from '../database/scheduled-purge.js';
import { EVENTS_KEPT_MS } from '../events/events.purger.js';

/** What a crash undoes is purged again, so the commit doesn't wait for the disk. */
const PURGE = `
  WITH gone AS (
         DELETE FROM webhook_deliveries
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM webhook_deliveries
                                    WHERE created_at BETWEEN $2 AND now() - $3 * interval '1 millisecond'
                                    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING created_at)
  SELECT count(*)::int AS count, max(created_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** Purges deliveries as old as events that are purged; those of endpoints that are deleted stay as long as others. */
@Injectable()
export class DeliveriesPurger extends ScheduledPurge {
  override purge(signal?: AbortSignal): Promise<number> {
    return this.deleteAll(PURGE, [EVENTS_KEPT_MS], signal);
  }
}
