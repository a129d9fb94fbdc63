import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { Page } from '../http/page.js';
import { noSuch } from '../http/problem.js';
import { findByPublicId, pageBy, readAs } from '../http/reads.js';
import { invalid } from '../http/validation.js';
import { uuidOf } from '../kernel/ids.js';
import type { EventView, ListEvents } from './event.dto.js';
import { EventRow } from './event.entity.js';
import { eventView } from './event.view.js';

/** Reading what became true. */
@Injectable()
export class EventsService {
  constructor(@InjectRepository(EventRow) private readonly events: Repository<EventRow>) {}

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<EventView> {
    const event = await findByPublicId(this.events, 'evt', { accountId, id });
    if (!event) throw noSuch('event');
    return eventView(event);
  }

  /** Newest first; with `after`, forward. @throws Problem `not-found` for an `after` that is no event, `invalid-request` for a cursor beside it */
  async list(accountId: string, query: ListEvents): Promise<Page<EventView>> {
    const { type, resource: resourceId, after, cursor } = query;
    if (after === undefined) return pageBy(this.events, 'evt', query, { accountId, type, resourceId }, eventView);
    if (cursor !== undefined) throw invalid([{ pointer: '/cursor', detail: 'does not go together with after' }]);
    const uuid = uuidOf('evt', after);
    const rows = uuid && (await readAs(this.events, accountId, (own) => readForward(own, accountId, uuid, query)));
    if (!rows) throw noSuch('event');
    return { data: rows.map(eventView), nextCursor: null };
  }
}

/**
 * Events after one, oldest first; null without that one. Transactions end in another order than they begin, so one that may still write
 * events before these must have ended.
 */
async function readForward(
  events: Repository<EventRow>,
  accountId: string,
  id: string,
  { type, resource, limit }: ListEvents,
): Promise<EventRow[] | null> {
  const after = await events.findOneBy({ accountId, id });
  if (!after) return null;
  return events
    .createQueryBuilder('e')
    .where({ accountId, ...(type !== undefined && { type }), ...(resource !== undefined && { resourceId: resource }) })
    .andWhere('(e.transaction_id, e.id) > (:transactionId, :id)', { transactionId: after.transactionId, id })
    .andWhere('e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint')
    .orderBy('e.transactionId')
    .addOrderBy('e.id')
    .limit(limit)
    .getMany();
}
