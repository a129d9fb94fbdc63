import { Injectable } from '@nestjs/common';
import { ScheduledPurge } from '../database/scheduled-purge.js';
import { EVENTS_KEPT_MS } from '../events/events.purger.js';
import type { Expiring } from '../idempotency/index.js';

const OLD: Expiring = {
  table: 'webhook_deliveries',
  key: 'id',
  time: 'created_at',
  until: `now() - $3 * interval '1 millisecond'`,
};

/** Purges deliveries as old as events that are purged; those of endpoints that are deleted stay as long as others. */
@Injectable()
export class DeliveriesPurger extends ScheduledPurge {
  override purge(signal?: AbortSignal): Promise<number> {
    return this.deleteDue(OLD, [EVENTS_KEPT_MS], signal);
  }
}
