import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { Operations, refuseWhileHanging } from '../idempotency/index.js';
import { ProviderBooks } from './provider-books.js';
import type { EventHint } from './provider/signed-event.js';

/** The inbox is unique by event id, so an event that is sent again is no news. */
const FIND = `SELECT FROM provider_events WHERE id = $1`;
const KEEP = `INSERT INTO provider_events (id, type, reference) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;

/** By what it was sent with; or a charge whose books may change by the provider's own id. */
const FIND_SUBJECT = `
  SELECT account_id, operation_id, reference FROM payments WHERE reference = $1
  UNION ALL
  SELECT account_id, operation_id, reference FROM refunds WHERE reference = $1
  UNION ALL
  SELECT account_id, operation_id, reference FROM payments WHERE provider_reference = $2 AND check_at IS NOT NULL
   LIMIT 1`;

interface Subject {
  account_id: string;
  operation_id: string;
  reference: string;
}

/** A longer id is kept as its hash: an index entry has to fit into a page. */
const LONGEST_ID = 255;

/**
 * The inbox of the provider's events. An event is a hint and no truth: it wakes the operation it is about, which then asks the
 * provider, or has what was settled looked at again. So repeated, late, early and foreign events all change nothing by themselves, nor do those that nobody here understands.
 */
@Injectable()
export class ProviderEventsService {
  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    private readonly operations: Operations,
    private readonly books: ProviderBooks,
  ) {}

  /** Takes an event in, once by its id, as far as it is understood. @throws the database's error, CommitsHang among them: the provider sends it again */
  async receive({ id, type, reference, providerReference }: EventHint): Promise<void> {
    const kept = id.length > LONGEST_ID ? `sha256:${hash('sha256', id, 'hex')}` : id;
    if ((await this.dataSource.query<unknown[]>(FIND, [kept])).length > 0) return;
    refuseWhileHanging(this.dataSource);
    await this.pass(reference, providerReference);
    // Last: an event whose operation could not be woken is no repetition when it is sent again. To wake one twice does no harm.
    await this.dataSource.query(KEEP, [kept, type ?? 'unknown', reference]);
  }

  private async pass(reference: string | null, providerReference: string | null): Promise<void> {
    const [subject] = await this.dataSource.query<Subject[]>(FIND_SUBJECT, [reference, providerReference]);
    if (!subject) return;
    await this.operations.wake(subject.account_id, subject.operation_id);
    await this.books.lookAgain(subject.account_id, subject.reference);
  }
}
