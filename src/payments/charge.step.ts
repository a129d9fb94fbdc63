import { Inject, Logger } from '@nestjs/common';
import { RecoverableStep, next, park, reply, undo, type Step, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { OrdersService } from '../orders/orders.service.js';
import { publicId } from '../kernel/ids.js';
import { Problem } from '../http/problem.js';
import { notReached, paymentPath, problemReply } from './payment-replies.js';
import { CompensateStep } from './compensate.step.js';
import { PaymentView } from './payment.dto.js';
import { Payment } from './payment.entity.js';
import { finishPayment, lockPayment, orderOf } from './payment.store.js';
import { firstCheck } from './provider-books.store.js';
import { ask, referenceOf } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER, type NotReached, type Outcome, type Pending, type Unknown } from './provider/provider.js';
import { reserveRefund } from './refund.store.js';

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

interface PaymentFacts {
  amount: string;
  currency: string;
  source: string;
  reference: string;
  provider_reference: string | null;
}

/** Charges a payment at the provider and writes down what became of it. */
@RecoverableStep('payments.charge')
export class ChargeStep implements Step<Outcome> {
  private readonly log = new Logger('Payments');

  constructor(
    @Inject(PROVIDER) private readonly provider: GuardedProvider,
    private readonly orders: OrdersService,
  ) {}

  async call(paymentId: string, run: StepRun): Promise<Outcome> {
    const [facts] = await run.read<PaymentFacts>(
      `SELECT amount, currency, source, reference, provider_reference FROM payments WHERE account_id = $1 AND id = $2`,
      [run.accountId, paymentId],
    );
    if (!facts) throw withoutPayment();
    const { reference, currency, source, provider_reference: known } = facts;
    const request = { account: publicId('acct', run.accountId), reference, amount: Number(facts.amount), currency, source };
    return ask(run, this.provider.keyWindowMs, {
      known: known !== null,
      send: (share) => this.provider.charge(request, run.providerKey, share),
      find: () => this.provider.findCharge(request, known),
    });
  }

  async settle(tx: Transaction, paymentId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    switch (outcome.kind) {
      case 'succeeded':
        return this.captured(tx, paymentId, outcome, run);
      case 'declined':
        return this.declined(tx, paymentId, outcome.code, run);
      case 'not-reached':
        // Only now is it certain that nothing is at the provider: no earlier attempt, no lost answer.
        if (run.attempt === 1 && run.stepNo === 1) return this.takeBack(tx, paymentId, run);
        return this.wait(tx, paymentId, outcome, run);
      case 'pending':
      case 'unknown':
        return this.wait(tx, paymentId, outcome, run);
    }
  }

  private async wait(tx: Transaction, id: string, outcome: Pending | Unknown | NotReached, { accountId }: StepRun): Promise<StepEnd> {
    const { reason, review, againMs } = outcome;
    const change = {
      ...(review && { reviewReason: review }),
      // Once it is written down, the charge is read by it and never sent again.
      ...(outcome.kind === 'pending' && { providerReference: outcome.providerReference }),
    };
    if (Object.keys(change).length > 0) await (await tx.manager()).update(Payment, { accountId, id }, change);
    return park(reason, againMs);
  }

  private async captured(tx: Transaction, paymentId: string, { providerReference, mayChange }: Succeeded, run: StepRun): Promise<StepEnd> {
    const { accountId } = run;
    const orderId = await orderOf(tx, accountId, paymentId);
    if (!orderId) throw withoutPayment();
    const order = await this.orders.lockUuid(tx, accountId, orderId);
    const checkAt = firstCheck(await tx.now(), mayChange);
    const payment = await this.finish(tx, paymentId, { status: 'succeeded', providerReference, checkAt }, run);
    if (order.status === 'pending') {
      await this.orders.markPaid(tx, accountId, order);
      return reply(201, PaymentView.of(payment), { location: paymentPath(payment) });
    }
    this.log.warn(
      { operationId: run.operationId, orderStatus: order.status },
      'a charge succeeded for an order that cannot be paid any more; it is refunded',
    );
    const refund = await reserveRefund(tx, payment, {
      amount: payment.amount,
      reason: `the order was ${order.status} before the charge succeeded`,
      reference: referenceOf(tx.nextProviderKey(CompensateStep)),
    });
    return next(CompensateStep, refund.id);
  }

  private async declined(tx: Transaction, paymentId: string, failureCode: string, run: StepRun): Promise<StepEnd> {
    const payment = await this.finish(tx, paymentId, { status: 'failed', failureCode }, run);
    const problem = new Problem('payment-declined', `The provider declined: ${failureCode}.`, {
      members: { payment: PaymentView.of(payment) },
    });
    return problemReply(problem, run, paymentPath(payment));
  }

  private async finish(tx: Transaction, paymentId: string, change: Partial<Payment>, { accountId }: StepRun): Promise<Payment> {
    const payment = await lockPayment(tx, accountId, paymentId);
    if (!payment) throw withoutPayment();
    const finished = { ...payment, ...change, reviewReason: null, updatedAt: await tx.now() };
    finishPayment(tx, finished);
    return finished;
  }

  private async takeBack(tx: Transaction, paymentId: string, { accountId }: StepRun): Promise<StepEnd> {
    await (await tx.manager()).delete(Payment, { accountId, id: paymentId });
    return undo(notReached('charged'));
  }
}

function withoutPayment(): Error {
  return new Error('a charge step without its payment');
}
