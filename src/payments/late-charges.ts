import { Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { startOperation } from '../idempotency/index.js';
import { newId, publicId } from '../kernel/ids.js';
import { nextCheck } from './books-schedule.js';
import { LateRefundStep } from './late-refund.step.js';
import { LATE_CHARGE_REFUND } from './money-operations.js';
import { Payment, Refund } from './payment.entity.js';
import { refundPath } from './payment-replies.js';
import { FLAG_PAYMENT, NAME_CHARGE, SET_CHECK, type DecidedPayment } from './provider-books.store.js';
import { referenceOf } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER } from './provider/provider.js';
import { withReason } from './review-reasons.js';

const SHOWED = 'the charge showed after it was concluded that it did not happen';

/** Looks for charges of payments that a person decided. */
@Injectable()
export class LateCharges {
  private readonly log = new Logger('LateCharges');

  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    @Inject(PROVIDER) private readonly provider: GuardedProvider,
  ) {}

  /**
   * Asks the provider for the charge of a decided payment. One that was decided not to have happened and shows all the same
   * is refunded and flagged, never booked: the order may be paid by another one.
   * @throws Error when the provider can't be asked
   */
  async check(payment: DecidedPayment): Promise<void> {
    const { account_id, id, reference, provider_reference: known, currency, source } = payment;
    const request = { account: publicId('acct', account_id), reference, amount: Number(payment.amount), currency, source };
    const found = await this.provider.findCharge(request, known);
    const review = found?.kind === 'unknown' ? found.review : undefined;
    if (review) await this.dataSource.query(FLAG_PAYMENT, [account_id, id, review]);
    if (found?.kind === 'succeeded') {
      await this.dataSource.query(NAME_CHARGE, [account_id, id, found.providerReference]);
      if (payment.status === 'failed') return this.giveBack(payment);
    }
    const next = nextCheck(payment, review !== undefined || found?.kind === 'declined');
    await this.dataSource.query(SET_CHECK.payments, [account_id, id, payment.check_at, next]);
  }

  /** Reserves the refund and starts its operation together, once: the reservation fills the payment, under its lock. */
  private async giveBack({ account_id: accountId, id }: DecidedPayment): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const payment = await manager.findOneOrFail(Payment, { where: { accountId, id }, lock: { mode: 'for_no_key_update' } });
      if (payment.amountReserved > 0) return manager.update(Payment, { accountId, id }, { checkAt: null });
      const refundId = newId();
      const own = { accountId, name: `late charge of ${publicId('pay', id)}`, operation: LATE_CHARGE_REFUND };
      const started = await startOperation(manager, {
        ...own,
        step: LateRefundStep,
        subjectId: refundId,
        resource: refundPath({ id: refundId }),
      });
      const { amount, currency } = payment;
      const [{ now }] = await manager.query<[{ now: Date }]>('SELECT now()');
      await manager.insert(Refund, {
        accountId,
        id: refundId,
        paymentId: id,
        operationId: started.operationId,
        status: 'processing',
        amount,
        currency,
        reason: SHOWED,
        reference: referenceOf(started.providerKey),
        createdAt: now,
        updatedAt: now,
      });
      const reviewReason = withReason(payment.reviewReason, `${SHOWED}, and it is refunded`);
      return manager.update(
        Payment,
        { accountId, id },
        { amountReserved: amount, reviewReason, checkAt: null, version: payment.version + 1, updatedAt: now },
      );
    });
    this.log.warn({ payment: publicId('pay', id) }, 'a charge showed after it was concluded that it did not happen; it is refunded');
  }
}
