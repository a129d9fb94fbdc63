import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { Operations } from '../idempotency/index.js';

/** The inbox is unique by event id, so an event that is sent again is no news. */
const RECEIVE = `INSERT INTO provider_events (id, type, reference) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`;

const FIND_OPERATION = `
  SELECT account_id, operation_id FROM payments WHERE reference = $1
  UNION ALL
  SELECT account_id, operation_id FROM refunds WHERE reference = $1`;

/**
 * The inbox of the provider's events. An event is a hint and no truth: it wakes the operation it is about, which then asks
 * the provider. So repeated, late, early and foreign events all change nothing by themselves.
 */
@Injectable()
export class ProviderEventsService {
  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    private readonly operations: Operations,
  ) {}

  /** Takes an event in, once by its id. `reference`: of the charge or refund that it is about; null where it names none. */
  async receive(id: string, type: string, reference: string | null): Promise<void> {
    const fresh = await this.dataSource.query<unknown[]>(RECEIVE, [id, type, reference]);
    if (fresh.length === 0 || reference === null) return;
    const [found] = await this.dataSource.query<{ account_id: string; operation_id: string }[]>(FIND_OPERATION, [reference]);
    if (found) await this.operations.wake(found.account_id, found.operation_id);
  }
}
