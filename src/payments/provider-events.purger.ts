import { Injectable } from '@nestjs/common';
import { ScheduledPurge } from '../database/scheduled-purge.js';
import { isDistributed, type Expiring } from '../idempotency/index.js';

/**
 * How long an event is kept, in milliseconds. It is there to know one that is sent again, which Stripe does for three days (Stripe docs,
 * "Webhooks", "Automatic retries"), and for who looks into a payment later. One that comes after that wakes its operation once more.
 */
const RETENTION = 30 * 86_400_000;

const UNTIL = (retention: string): string => `now() - ${retention} * interval '1 millisecond'`;
const OLD: Expiring = { table: 'provider_events', key: 'id', time: 'received_at', until: UNTIL('$3') };
/** Events have no account until they are read: where they lie on several servers, each deletes its own. */
const DELETE_OLD = `DELETE FROM provider_events WHERE received_at <= ${UNTIL('$1')}`;

/** Purges the inbox of the provider's events on every replica, at an interval. */
@Injectable()
export class ProviderEventsPurger extends ScheduledPurge {
  override async purge(signal?: AbortSignal): Promise<number> {
    if (!isDistributed(this.dataSource)) return this.deleteDue(OLD, [RETENTION], signal);
    const [, count] = await this.dataSource.query<[unknown, number]>(DELETE_OLD, [RETENTION]);
    return count;
  }
}
