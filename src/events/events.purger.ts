import { Injectable } from '@nestjs/common';
import { ScheduledPurge } from '../database/scheduled-purge.js';
import { isDistributed } from '../idempotency/index.js';

/** How long an event is kept, in milliseconds. */
export const EVENTS_KEPT_MS = 30 * 86_400_000;

/** The least UUIDv7 of a time: ids begin with the milliseconds since 1970, so the primary key finds what is old. */
const leastId = (time: string): string => `(lpad(to_hex((extract(epoch FROM ${time}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;

const IS_OLD = `e.id < ${leastId(`(now() - $1 * interval '1 millisecond')`)}`;
const FIND_ACCOUNTS = `SELECT id FROM accounts a WHERE EXISTS (SELECT FROM events e WHERE e.account_id = a.id AND ${IS_OLD})`;
/** The same where each server has a part of the events: it looks at all of its own. */
const FIND_ACCOUNTS_OF_ALL = `SELECT DISTINCT account_id AS id FROM events e WHERE ${IS_OLD}`;

/**
 * No row is locked before it is deleted, since nobody may update one: a replica that meets another's batch finds less to delete, and leaves
 * the rest to that one. What a crash undoes is purged again, so the commit doesn't wait for the disk.
 */
const PURGE = `
  WITH gone AS (
         DELETE FROM events
          WHERE account_id = $4 AND ctid = ANY (ARRAY (SELECT ctid FROM events
                                    WHERE account_id = $4 AND id >= ${leastId(`greatest($2::timestamptz, 'epoch')`)}
                                      AND id < ${leastId(`(now() - $3 * interval '1 millisecond')`)}
                                    ORDER BY id LIMIT $1))
         RETURNING id)
  SELECT count(*)::int AS count, set_config('synchronous_commit', 'off', true),
         to_timestamp(('x' || left(replace(max(id::text), '-', ''), 12))::bit(48)::bigint / 1000.0) AS newest FROM gone`;

/** Purges events on every replica, at an interval, one account after the other. */
@Injectable()
export class EventsPurger extends ScheduledPurge {
  override async purge(signal?: AbortSignal): Promise<number> {
    const find = isDistributed(this.dataSource) ? FIND_ACCOUNTS_OF_ALL : FIND_ACCOUNTS;
    const accounts = await this.dataSource.query<{ id: string }[]>(find, [EVENTS_KEPT_MS]);
    let count = 0;
    for (const { id } of accounts) {
      count += await this.deleteAll(PURGE, [EVENTS_KEPT_MS, id], signal);
    }
    return count;
  }
}
