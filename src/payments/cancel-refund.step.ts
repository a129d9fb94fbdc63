import { Inject } from '@nestjs/common';
import { RecoverableStep, next, reply, type Step, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { etagOf } from '../http/etag.js';
import { OrderView, orderPath } from '../orders/order.dto.js';
import { Order, OrderItem } from '../orders/order.entity.js';
import { Refund } from './payment.entity.js';
import { referenceOf } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER, type Outcome } from './provider/provider.js';
import { callRefund, finishRefund, flagIfDeclined } from './refunding.js';

/** Gives back one of the payments of a cancelled order, then the next one. */
@RecoverableStep('orders.cancel.refund')
export class CancelRefundStep implements Step<Outcome> {
  constructor(@Inject(PROVIDER) private readonly provider: GuardedProvider) {}

  call(refundId: string, run: StepRun): Promise<Outcome> {
    return callRefund(this.provider, refundId, run);
  }

  settle(tx: Transaction, refundId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    return finishRefund(tx, refundId, outcome, run, async ({ payment, refund }) => {
      await flagIfDeclined(tx, refund);
      const { accountId } = run;
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
    });
  }
}
