import { Injectable, Logger } from '@nestjs/common';
import { next, reply, type Reply, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';
import { OrdersService } from '../orders/orders.service.js';
import { CompensateStep } from './compensate.step.js';
import { END_STATES, type End, type EndState } from './end-states.js';
import { PaymentView } from './payment.dto.js';
import { finishPayment, lockPayment, orderOf } from './payment.store.js';
import { paymentPath, problemReply } from './payment-replies.js';
import { firstCheck } from './provider-books.store.js';
import { referenceOf } from './provider/ask.js';
import { reserveRefund } from './refund.store.js';

/** What is known of a payment that ends; what isn't given stays as it is. */
export interface Ending {
  /** The provider's id of the charge. */
  providerReference?: string | null;
  /** The provider's word, where the end state takes it. */
  failureCode?: string;
  /** Whether the provider says that its books may change. */
  mayChange?: true | undefined;
  /** What a client is told that is refused. */
  detail?: string;
}

/** Ends payments: the one place that writes what payment, order and answer become, by the table of end states. */
@Injectable()
export class PaymentEnds {
  private readonly log = new Logger('Payments');

  constructor(private readonly orders: OrdersService) {}

  /** Ends a payment that is processing, in the transaction of its operation. @throws Error where there is no such payment */
  async end(tx: Transaction, paymentId: string, wanted: End, ending: Ending, run: StepRun): Promise<StepEnd> {
    const { accountId } = run;
    const orderId = await orderOf(tx, accountId, paymentId);
    if (!orderId) throw new Error('a payment step without its payment');
    const order = await this.orders.lockUuid(tx, accountId, orderId);
    const isTooLate = END_STATES[wanted].order === 'paid' && order.status !== 'pending';
    const state: EndState = END_STATES[isTooLate ? 'order-cancelled' : wanted];
    const payment = await lockPayment(tx, accountId, paymentId);
    if (!payment) throw new Error('a payment step without its payment');
    const now = await tx.now();
    const ended = finishPayment(tx, {
      ...payment,
      status: state.payment,
      failureCode: state.failureCode === 'provider' ? (ending.failureCode ?? null) : state.failureCode,
      providerReference: ending.providerReference ?? payment.providerReference,
      checkAt: checkOf(END_STATES[wanted], now, ending.mayChange),
      reviewReason: null,
      updatedAt: now,
    });
    if (isTooLate) return this.giveBack(tx, ended, order.status, run);
    if (state.order === 'paid') await this.orders.markPaid(tx, accountId, order);
    return answerOf(state, ended, ending.detail, run);
  }

  private async giveBack(tx: Transaction, payment: Parameters<typeof reserveRefund>[1], order: string, run: StepRun): Promise<StepEnd> {
    this.log.warn(
      { operationId: run.operationId, orderStatus: order },
      'a charge succeeded for an order that cannot be paid any more; it is refunded',
    );
    const refund = await reserveRefund(tx, payment, {
      amount: payment.amount,
      reason: `the order was ${order} before the charge succeeded`,
      reference: referenceOf(tx.nextProviderKey(CompensateStep)),
    });
    return next(CompensateStep, refund.id);
  }
}

function checkOf({ askedAgain }: EndState, now: Date, mayChange: true | undefined): Date | null {
  return askedAgain === 'never' ? null : firstCheck(now, askedAgain === 'always' ? true : mayChange);
}

/** The key's answer. */
function answerOf({ answer, code }: EndState, payment: Parameters<typeof PaymentView.of>[0], detail = '', run: StepRun): Reply {
  const view = PaymentView.of(payment);
  const path = paymentPath(payment);
  return code
    ? problemReply(new Problem(code, detail, { members: { payment: view } }), run, path)
    : reply(answer, view, { location: path });
}
