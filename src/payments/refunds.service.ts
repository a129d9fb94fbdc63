import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { Transaction } from '../idempotency/index.js';
import { uuidOf } from '../kernel/ids.js';
import { noSuch } from '../http/problem.js';
import { findByPublicId } from '../http/reads.js';
import { keySpent } from './payment-replies.js';
import { RefundView, type CreateRefund } from './payment.dto.js';
import { Refund } from './payment.entity.js';
import { lockPayment } from './payment.store.js';
import { referenceOf } from './provider/ask.js';
import { RefundStep } from './refund.step.js';
import { reserveRefund } from './refund-opening.store.js';
import { RestoreGate } from './restore/restore-gate.js';

/** Refunds that clients ask for: opening them inside the claim's transaction, and reading them. */
@Injectable()
export class RefundsService {
  constructor(
    private readonly gate: RestoreGate,
    @InjectRepository(Refund) private readonly refunds: Repository<Refund>,
  ) {}

  /** Opens a refund, to be made by RefundStep. @throws Problem `not-found`, `refund-exceeds-payment`, `service-unavailable` */
  async open(tx: Transaction, accountId: string, paymentId: string, { amount, reason }: CreateRefund): Promise<Refund> {
    const uuid = uuidOf('pay', paymentId);
    const [payment] = await Promise.all([uuid && lockPayment(tx, accountId, uuid), this.gate.pass(tx, accountId)]);
    if (!payment) throw noSuch('payment');
    tx.declare({ refunds_reference_idx: () => keySpent() });
    return reserveRefund(tx, payment, {
      amount: amount ?? payment.amount - payment.amountReserved,
      reason: reason ?? null,
      reference: referenceOf(tx.nextProviderKey(RefundStep)),
    });
  }

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<RefundView> {
    const refund = await findByPublicId(this.refunds, 're', { accountId, id });
    if (!refund) throw noSuch('refund');
    return RefundView.of(refund);
  }
}
