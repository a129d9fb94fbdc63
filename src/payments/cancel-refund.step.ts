import { RecoverableStep, next, reply, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { etagOf } from '../http/etag.js';
import { OrderView, orderPath } from '../orders/order.dto.js';
import { readOrder } from '../orders/order.store.js';
import { referenceOf } from './provider/ask.js';
import { callNextRefund } from './refund-opening.store.js';
import type { SettledRefund } from './refund.store.js';
import { RefundingStep, flagIfDeclined } from './refunding.js';

/** The name of the step, by which the records of cancellations that gave money back are known. */
export const CANCEL_REFUND = 'orders.cancel.refund';

/** Gives back one of the payments of a cancelled order, then the next one. */
@RecoverableStep(CANCEL_REFUND)
export class CancelRefundStep extends RefundingStep {
  protected async finish(tx: Transaction, { payment, refund }: SettledRefund, { accountId }: StepRun): Promise<StepEnd> {
    await flagIfDeclined(tx, refund);
    const waiting = await callNextRefund(tx, accountId, referenceOf(tx.nextProviderKey(CancelRefundStep)));
    if (waiting) return next(CancelRefundStep, waiting);
    const order = await readOrder(tx, accountId, payment.orderId);
    if (!order) throw new Error('a cancellation without its order');
    const view = OrderView.of(order);
    return reply(200, view, { etag: etagOf(view.version), resource: orderPath(view) });
  }
}
