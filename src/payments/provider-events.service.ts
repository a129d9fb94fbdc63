import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { Operations } from '../idempotency/index.js';
import type { EventHint } from './provider/signed-event.js';

/** The inbox is unique by event id, so an event that is sent again is no news. */
const RECEIVE = `INSERT INTO provider_events (id, type, reference) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`;

const FIND_OPERATION = `
  SELECT account_id, operation_id FROM payments WHERE reference = $1
  UNION ALL
  SELECT account_id, operation_id FROM refunds WHERE reference = $1`;

/** A longer id is kept as its hash: an index entry has to fit into a page. */
const LONGEST_ID = 255;

/**
 * The inbox of the provider's events. An event is a hint and no truth: it wakes the operation it is about, which then asks
 * the provider. So repeated, late, early and foreign events all change nothing by themselves, nor do those that nobody here understands.
 */
@Injectable()
export class ProviderEventsService {
  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    private readonly operations: Operations,
  ) {}

  /** Takes an event in, once by its id, as far as it is understood. */
  async receive({ id, type, reference }: EventHint): Promise<void> {
    const kept = id.length > LONGEST_ID ? `sha256:${hash('sha256', id, 'hex')}` : id;
    const fresh = await this.dataSource.query<unknown[]>(RECEIVE, [kept, type ?? 'unknown', reference]);
    if (fresh.length === 0 || reference === null) return;
    const [found] = await this.dataSource.query<{ account_id: string; operation_id: string }[]>(FIND_OPERATION, [reference]);
    if (found) await this.operations.wake(found.account_id, found.operation_id);
  }
}
