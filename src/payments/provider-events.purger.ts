import { Injectable } from '@nestjs/common';
import { ScheduledPurge } from '../database/scheduled-purge.js';

/**
 * How long an event is kept, in milliseconds. It is there to know one that is sent again, which Stripe does for three days (Stripe docs,
 * "Webhooks", "Automatic retries"), and for who looks into a payment later. One that comes after that wakes its operation once more.
 */
const RETENTION = 30 * 86_400_000;

/** What a crash undoes is purged again, so the commit doesn't wait for the disk. */
const PURGE = `
  WITH gone AS (
         DELETE FROM provider_events
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM provider_events
                                    WHERE received_at BETWEEN $2 AND now() - $3 * interval '1 millisecond'
                                    ORDER BY received_at LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING received_at)
  SELECT count(*)::int AS count, max(received_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** Purges the inbox of the provider's events on every replica, at an interval. */
@Injectable()
export class ProviderEventsPurger extends ScheduledPurge {
  override purge(signal?: AbortSignal): Promise<number> {
    return this.deleteAll(PURGE, [RETENTION], signal);
  }
}
