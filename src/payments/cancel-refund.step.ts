import { RecoverableStep, next, reply, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { etagOf } from '../http/etag.js';
import { OrderView, orderPath } from '../orders/order.dto.js';
import { Order, OrderItem } from '../orders/order.entity.js';
import { Refund } from './payment.entity.js';
import { referenceOf } from './provider/ask.js';
import type { SettledRefund } from './refund.store.js';
import { RefundingStep, flagIfDeclined } from './refunding.js';

/** The name of the step, by which the records of cancellations that gave money back are known. */
export const CANCEL_REFUND = 'orders.cancel.refund';

/** Gives back one of the payments of a cancelled order, then the next one. */
@RecoverableStep(CANCEL_REFUND)
export class CancelRefundStep extends RefundingStep {
  protected async finish(tx: Transaction, { payment, refund }: SettledRefund, { accountId }: StepRun): Promise<StepEnd> {
    await flagIfDeclined(tx, refund);
    const manager = await tx.manager();
    const waiting = await manager.findOne(Refund, {
      where: { accountId, operationId: tx.operationUuid, status: 'processing' },
      order: { id: 'ASC' },
    });
    if (waiting) {
      await manager.update(Refund, { accountId, id: waiting.id }, { reference: referenceOf(tx.nextProviderKey(CancelRefundStep)) });
      return next(CancelRefundStep, waiting.id);
    }
    const order = await manager.findOneByOrFail(Order, { accountId, id: payment.orderId });
    const items = await manager.find(OrderItem, { where: { accountId, orderId: order.id }, order: { lineNo: 'ASC' } });
    const view = OrderView.of({ ...order, items });
    return reply(200, view, { etag: etagOf(view.version), resource: orderPath(view) });
  }
}
