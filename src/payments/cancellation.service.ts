import { Injectable } from '@nestjs/common';
import type { Transaction } from '../idempotency/index.js';
import type { OrderView } from '../orders/order.dto.js';
import { OrdersService } from '../orders/orders.service.js';
import { Problem } from '../http/problem.js';
import { CancelRefundStep } from './cancel-refund.step.js';
import { keySpent } from './payment-replies.js';
import type { Refund } from './payment.entity.js';
import { PaymentsService } from './payments.service.js';
import { referenceOf } from './provider/ask.js';
import { reserveRefund } from './refund-opening.store.js';
import { RestoreGate } from './restore/restore-gate.js';

/** Cancelling an order with all that hangs on it: its stock, and the money that was paid for it. */
@Injectable()
export class CancellationService {
  constructor(
    private readonly orders: OrdersService,
    private readonly payments: PaymentsService,
    private readonly gate: RestoreGate,
  ) {}

  /**
   * Cancels the order, gives its stock back and reserves a refund of every captured payment; `firstRefund` is the one to
   * begin with, if there is any. `checkGivingBack` is called where money will go back, with the order and its payments locked and
   * nothing written yet, and may throw: before the lock an unpaid order could still become a paid one.
   * @throws Problem `not-found`, `order-not-cancellable`, `payment-in-progress`, `service-unavailable`
   */
  async cancel(
    tx: Transaction,
    accountId: string,
    id: string,
    checkGivingBack: () => void,
  ): Promise<{ order: OrderView; firstRefund: Refund | undefined }> {
    const locked = await this.orders.lock(tx, accountId, id);
    if (locked.status === 'cancelled') throw new Problem('order-not-cancellable', 'The order is cancelled already.');
    await this.payments.refuseWhileInFlight(tx, accountId, locked);
    const captured = await this.payments.lockCaptured(tx, accountId, locked.id);
    if (captured.length > 0) {
      checkGivingBack();
      await this.gate.pass(tx, accountId);
    }
    tx.declare({ refunds_reference_idx: () => keySpent() });
    const refunds: Refund[] = [];
    for (const payment of captured) {
      refunds.push(
        await reserveRefund(tx, payment, {
          amount: payment.amount - payment.amountReserved,
          reason: 'the order was cancelled',
          // The key of the first refund alone is known by now; the others get theirs when their turn comes.
          reference: refunds.length === 0 ? referenceOf(tx.nextProviderKey(CancelRefundStep)) : null,
        }),
      );
    }
    return { order: await this.orders.cancel(tx, accountId, locked), firstRefund: refunds[0] };
  }
}
