import { RecoverableStep, next, park, reply, undo, type Step, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { Order, OrderItem } from '../orders/order.entity.js';
import { OrderView, orderPath } from '../orders/order.dto.js';
import { etagOf } from '../http/etag.js';
import { Problem } from '../http/problem.js';
import { paymentPath, problemReply, refundPath } from './payment-replies.js';
import { PaymentView, RefundView } from './payment.dto.js';
import { Refund } from './payment.entity.js';
import { referenceOf, type DoubtfulOutcome } from './provider/ask.js';
import { RefundsService, type SettledRefund } from './refunds.service.js';

/** A refund that a client asked for. */
@RecoverableStep('payments.refund')
export class RefundStep implements Step<DoubtfulOutcome> {
  constructor(private readonly refunds: RefundsService) {}

  call(refundId: string, run: StepRun): Promise<DoubtfulOutcome> {
    return this.refunds.call(refundId, run);
  }

  async settle(tx: Transaction, refundId: string, outcome: DoubtfulOutcome, run: StepRun): Promise<StepEnd> {
    if (outcome.kind === 'not-reached' && run.attempt === 1) {
      await this.refunds.undo(tx, run.accountId, refundId);
      return undo(new Problem('provider-unavailable', 'The payment provider was not reached. Nothing was refunded.'));
    }
    return settleRefund(this.refunds, tx, refundId, outcome, run, ({ refund }) =>
      reply(201, RefundView.of(refund), { location: refundPath(refund) }),
    );
  }
}

/** Gives back what was charged for an order that can't be paid any more. */
@RecoverableStep('payments.compensate')
export class CompensateStep implements Step<DoubtfulOutcome> {
  constructor(private readonly refunds: RefundsService) {}

  call(refundId: string, run: StepRun): Promise<DoubtfulOutcome> {
    return this.refunds.call(refundId, run);
  }

  settle(tx: Transaction, refundId: string, outcome: DoubtfulOutcome, run: StepRun): Promise<StepEnd> {
    return settleRefund(this.refunds, tx, refundId, outcome, run, async ({ payment, refund }) => {
      await flagIfDeclined(this.refunds, tx, refund);
      const became =
        refund.status === 'succeeded' ? 'the charge was refunded' : `the provider declined to refund the charge: ${refund.failureCode}`;
      const problem = new Problem('order-not-payable', `The order was cancelled before the charge succeeded; ${became}.`, {
        members: { payment: PaymentView.of(payment) },
      });
      return problemReply(problem, run, paymentPath(payment));
    });
  }
}

/** Gives back one of the payments of a cancelled order, then the next one. */
@RecoverableStep('orders.cancel.refund')
export class CancelRefundStep implements Step<DoubtfulOutcome> {
  constructor(private readonly refunds: RefundsService) {}

  call(refundId: string, run: StepRun): Promise<DoubtfulOutcome> {
    return this.refunds.call(refundId, run);
  }

  settle(tx: Transaction, refundId: string, outcome: DoubtfulOutcome, run: StepRun): Promise<StepEnd> {
    return settleRefund(this.refunds, tx, refundId, outcome, run, async ({ payment, refund }) => {
      await flagIfDeclined(this.refunds, tx, refund);
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

/** Nobody asked for this refund by itself, so nobody looks at what became of it: money that should have gone back is still here. */
async function flagIfDeclined(refunds: RefundsService, tx: Transaction, { accountId, id, status, failureCode }: Refund): Promise<void> {
  if (status === 'failed') await refunds.flag(tx, accountId, id, `the provider declined to refund: ${failureCode}`);
}

/** What all refunds have in common: an unknown outcome parks, a final one is written down, and then comes what the operation is for. */
async function settleRefund(
  refunds: RefundsService,
  tx: Transaction,
  refundId: string,
  outcome: DoubtfulOutcome,
  run: StepRun,
  finish: (settled: SettledRefund) => StepEnd | Promise<StepEnd>,
): Promise<StepEnd> {
  if (outcome.kind === 'unknown' || outcome.kind === 'not-reached') {
    if (outcome.review) await refunds.flag(tx, run.accountId, refundId, outcome.review);
    return park(outcome.reason);
  }
  return finish(await refunds.settle(tx, run.accountId, refundId, outcome));
}
