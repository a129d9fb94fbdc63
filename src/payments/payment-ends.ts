import { Injectable, Logger } from '@nestjs/common';
import { next, reply, type Reply, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';
import type { OrderState } from '../orders/order.store.js';
import { OrdersService } from '../orders/orders.service.js';
import { CompensateStep } from './compensate.step.js';
import { DeadlineRefundStep } from './deadline-refund.step.js';
import { END_STATES, type End, type EndState } from './end-states.js';
import { PaymentView } from './payment.dto.js';
import type { Payment } from './payment.entity.js';
import { finishPayment, lockWithOrder } from './payment.store.js';
import { paymentPath, problemReply } from './payment-replies.js';
import { firstCheck, soonCheck } from './books-schedule.js';
import { referenceOf } from './provider/ask.js';
import { reserveRefund } from './refund-opening.store.js';

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
    const { order, payment } = await lockWithOrder(tx, accountId, paymentId);
    const now = await tx.now();
    const end = END_STATES[wanted].order === 'paid' ? whenCharged(wanted, order, payment, now) : wanted;
    const state: EndState = END_STATES[end];
    const ended = finishPayment(tx, {
      ...payment,
      status: state.payment,
      failureCode: state.failureCode === 'provider' ? (ending.failureCode ?? null) : state.failureCode,
      providerReference: ending.providerReference ?? payment.providerReference,
      checkAt: checkOf(end === 'deadline-passed' ? state : END_STATES[wanted], now, { ...ending, isCharged: end !== wanted }),
      reviewReason: null,
      updatedAt: now,
    });
    if (end !== wanted) return this.giveBack(tx, ended, end, order, run);
    if (state.order === 'paid') await this.orders.markPaid(tx, accountId, order);
    return answerOf(state, ended, ending.detail, run);
  }

  /** To the provider it is a charge that succeeded, whatever it is here. */
  private async giveBack(tx: Transaction, payment: Payment, end: End, order: OrderState, run: StepRun): Promise<StepEnd> {
    const [step, reason] =
      end === 'deadline-passed'
        ? [DeadlineRefundStep, 'the deadline passed before the charge was known']
        : [CompensateStep, `the order was ${order.status} before the charge succeeded`];
    this.log.warn({ operationId: run.operationId, reason }, 'a charge succeeded too late; it is refunded');
    const charged = { ...payment, status: 'succeeded' as const };
    const refund = await reserveRefund(tx, charged, { amount: payment.amount, reason, reference: referenceOf(tx.nextProviderKey(step)) });
    return next(step, refund.id);
  }
}

/** What a charge comes to that has succeeded: its order may not be payable any more, and it may be known too late. */
function whenCharged(wanted: End, order: OrderState, { deadline }: Payment, now: Date): End {
  if (order.status !== 'pending') return 'order-cancelled';
  return deadline !== null && now > deadline ? 'deadline-passed' : wanted;
}

function checkOf(
  { askedAgain }: EndState,
  now: Date,
  { mayChange, isCharged }: Pick<Ending, 'mayChange'> & { isCharged: boolean },
): Date | null {
  switch (askedAgain) {
    case 'never':
      return null;
    case 'where-books-change':
      return firstCheck(now, mayChange);
    case 'always':
      return firstCheck(now, true);
    case 'where-not-charged':
      return isCharged ? firstCheck(now, mayChange) : soonCheck(now);
  }
}

/** The key's answer. */
function answerOf({ answer, code }: EndState, payment: Parameters<typeof PaymentView.of>[0], detail = '', run: StepRun): Reply {
  const view = PaymentView.of(payment);
  const path = paymentPath(payment);
  return code
    ? problemReply(new Problem(code, detail, { members: { payment: view } }), run, path)
    : reply(answer, view, { location: path });
}
