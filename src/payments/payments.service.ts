import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { Transaction } from '../idempotency/index.js';
import { uuidOf } from '../kernel/ids.js';
import type { Page } from '../http/page.js';
import type { OrderHead, OrderState } from '../orders/order.store.js';
import { OrdersService } from '../orders/orders.service.js';
import { Problem, noSuch } from '../http/problem.js';
import { findByPublicId, pageBy } from '../http/reads.js';
import { ChargeStep } from './charge.step.js';
import { inFlight, keySpent } from './payment-replies.js';
import { PaymentView, type CreatePayment, type ListPayments } from './payment.dto.js';
import { Payment } from './payment.entity.js';
import { referenceOf } from './provider/ask.js';
import { DECLINES_OF_ACCOUNT, DECLINES_OF_ORDER, refuseWhileBraked } from './decline-brakes.js';
import { findObstacles, isInFlight, type Obstacles } from './obstacles.store.js';
import { lockSucceeded, openPayment } from './payment.store.js';
import { findAgain } from './restore/lost-payment.js';
import { RestoreGate } from './restore/restore-gate.js';

/** A payment as it is asked for, and until when it is wanted. */
export interface PaymentWanted extends Pick<CreatePayment, 'orderId' | 'amount' | 'currency' | 'source'> {
  deadline: Date | null;
}

/** Payments: opening them inside the claim's transaction, and reading them. */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly orders: OrdersService,
    private readonly gate: RestoreGate,
    @InjectRepository(Payment) private readonly payments: Repository<Payment>,
  ) {}

  /**
   * Opens a payment of an order, to be charged by ChargeStep; or returns one that has succeeded, where the charge outlived a restore
   * of the database and was adopted.
   * @throws Problem `not-found`, `order-not-payable`, `amount-mismatch`, `payment-in-progress`, `rate-limited`, `service-unavailable`;
   * after a restore `payment-declined` and `idempotency-key-reused`
   */
  async open(tx: Transaction, accountId: string, { orderId, ...wanted }: PaymentWanted): Promise<Payment> {
    const reference = referenceOf(tx.nextProviderKey(ChargeStep));
    // The order is read beside the claim then, and made sure of by the payment's INSERT.
    tx.mayUseCached();
    const entering = this.gate.enter(tx, accountId, reference);
    const looking = this.lookAt(tx, accountId, orderId);
    // They leave together, and what the gate says goes before whatever became of the order.
    looking.catch(() => undefined);
    const charge = await entering;
    if (charge) return findAgain(tx, charge, { orderId, ...wanted });
    const { order, obstacles } = await looking;
    if (order.status !== 'pending') throw new Problem('order-not-payable', `The order is ${order.status}.`);
    if (order.total !== wanted.amount || order.currency !== wanted.currency) {
      throw new Problem('amount-mismatch', `The order's total is ${order.total} ${order.currency}.`);
    }
    const now = await tx.now();
    if (obstacles.inFlight) throw inFlight();
    refuseWhileBraked(obstacles, now);
    // The index is the judge where the look above could miss one.
    tx.declare({ payments_one_per_order_idx: () => inFlight(), payments_reference_idx: () => keySpent() });
    return openPayment(tx, { accountId, orderId: order.id, ...wanted, reference }, now);
  }

  /** The order, and what is in the way of a payment of it. @throws Problem `not-found` */
  private async lookAt(tx: Transaction, accountId: string, orderId: string): Promise<{ order: OrderHead; obstacles: Obstacles }> {
    const uuid = uuidOf('ord', orderId);
    if (!uuid) throw noSuch('order');
    const nth = { order: DECLINES_OF_ORDER.declines, account: DECLINES_OF_ACCOUNT.declines };
    const [order, obstacles] = await Promise.all([
      this.orders.head(tx, accountId, uuid),
      findObstacles(tx, { accountId, orderId: uuid }, nth),
    ]);
    return { order, obstacles };
  }

  /** @throws Problem `payment-in-progress`, which stores nothing: the state will pass */
  async refuseWhileInFlight(tx: Transaction, accountId: string, order: OrderState): Promise<void> {
    if (await isInFlight(tx, accountId, order.id)) throw inFlight();
  }

  /**
   * Payments of a locked order whose money is here, locked, with nothing of it on its way back.
   * @throws Problem `payment-in-progress` while a refund is under way: were it declined later, nobody would give the money back
   */
  async lockCaptured(tx: Transaction, accountId: string, orderId: string): Promise<Payment[]> {
    const { payments, isMoving } = await lockSucceeded(tx, accountId, orderId);
    if (isMoving) throw new Problem('payment-in-progress', 'A refund of this order is under way.');
    return payments.filter((payment) => payment.amountReserved < payment.amount);
  }

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<PaymentView> {
    const payment = await findByPublicId(this.payments, 'pay', { accountId, id });
    if (!payment) throw noSuch('payment');
    return PaymentView.of(payment);
  }

  async list(accountId: string, query: ListPayments): Promise<Page<PaymentView>> {
    const orderId = query.orderId === undefined ? undefined : uuidOf('ord', query.orderId);
    if (orderId === null) return { data: [], nextCursor: null };
    return pageBy(this.payments, 'pay', query, { accountId, orderId, status: query.status }, PaymentView.of);
  }
}
