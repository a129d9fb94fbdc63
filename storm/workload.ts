import { v7 as uuidv7 } from 'uuid';
import type { Answer, ObedientClient } from './client.js';
import type { Action, Plan } from './plan.js';
import type { Random } from './random.js';

interface Order {
  id: string;
  amount: number;
  currency: string;
}

/** What all clients of a storm know together: orders and payments that something can be done with. */
export class Market {
  readonly orders: Order[] = [];
  readonly payments: { id: string; amount: number }[] = [];
  started = 0;
  finished = 0;
}

/** Products that every account starts with, but the one that runs out. */
export const PLENTY = ['123', 'rope-10m'];
/** What clients put, change and delete, and order meanwhile. */
const CHANGING = ['storm-1', 'storm-2', 'storm-3'];
/** So few that it runs out early in a storm, and orders of it are refused. */
export const SCARCE = 'storm-scarce';

/** Orders of what has run out or is deleted are refused, but not so many in a row. */
const TRIES = 100;
/** Sources of payments that are wanted in time. */
const IN_TIME = { tok_visa: 1, tok_slow: 1, tok_hang_after: 2, tok_drop_after: 1 };

/** One client at work: it does one thing after the other until the storm has had its operations, and all that is to happen meanwhile. */
export class Worker {
  constructor(
    private readonly client: ObedientClient,
    private readonly market: Market,
    private readonly random: Random,
    private readonly plan: Plan,
    private readonly allHasHappened: () => boolean,
  ) {}

  async work(): Promise<void> {
    while (this.market.started < this.plan.operations || !this.allHasHappened()) {
      await this.act(this.random.weighted<Action>(this.plan.actions));
    }
  }

  private async act(action: Action): Promise<void> {
    switch (action) {
      case 'order':
        return void (await this.placeOrder());
      case 'batch':
        return this.placeBatch();
      case 'pay':
        return this.pay(await this.someOrder());
      case 'pay-twice': {
        const order = await this.someOrder();
        await Promise.all([this.pay(order), this.pay(order)]);
        return;
      }
      case 'pay-again':
        return this.payAgain();
      case 'pay-in-time':
        return this.payInTime();
      case 'pay-and-cancel': {
        const order = await this.someOrder();
        await Promise.all([this.pay(order), this.cancel(order)]);
        return;
      }
      case 'refund':
        return this.refund();
      case 'refund-refused':
        return this.refundInVain();
      case 'cancel':
        return this.cancel(await this.someOrder());
      case 'ticket':
        await this.send('/v1/tickets', { subject: 'A question', description: 'Where is it?', priority: 'normal' });
        return;
      case 'give-up':
        return this.giveUp();
      case 'product':
        return this.changeProduct();
      case 'stock':
        await this.send(`/v1/products/${this.random.of(CHANGING)}/stock-changes`, { change: this.random.whole(-5, 50) || 1 });
        return;
      case 'pay-unreachable':
        return this.payUnreachable();
    }
  }

  private async placeOrder(): Promise<Order | null> {
    const order = await this.ownOrder();
    if (order) this.market.orders.push(order);
    return order;
  }

  /** One that no other client hears of. */
  private async ownOrder(): Promise<Order | null> {
    const answer = await this.send('/v1/orders', this.wish());
    return answer?.status === 201 ? orderOf(JSON.parse(answer.text)) : null;
  }

  /** Several orders at once, sometimes one of them twice. */
  private async placeBatch(): Promise<void> {
    const orders = Array.from({ length: this.random.whole(1, 6) }, () => ({ idempotencyKey: uuidv7(), ...this.wish() }));
    const again = this.random.chance(0.2) ? orders.slice(0, 1) : [];
    const answer = await this.send('/v1/orders/batch', { atomic: this.random.chance(0.5), orders: [...orders, ...again] });
    if (answer?.status !== 200) return;
    const { results } = JSON.parse(answer.text) as { results: { order?: unknown }[] };
    for (const { order } of results.slice(0, orders.length)) if (order) this.market.orders.push(orderOf(order));
  }

  private wish(): { items: object[] } {
    const scarce = this.random.chance(0.1);
    const productIds = scarce ? [SCARCE] : PLENTY.filter(() => this.random.chance(0.6));
    if (this.random.chance(0.1)) productIds.push(this.random.of(CHANGING) ?? '');
    if (productIds.length === 0) productIds.push('123');
    return { items: productIds.map((productId) => ({ productId, quantity: this.random.whole(1, 3) })) };
  }

  /** Mostly one that other clients may have in hand as well; sometimes paid or cancelled already. @throws Error where no order can be had */
  private async someOrder(): Promise<Order> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const recent = this.market.orders.slice(-20);
      const order = this.random.chance(0.35) ? this.random.of(recent) : await this.placeOrder();
      if (order) return order;
    }
    throw new Error('no order can be placed: the service does nothing at all');
  }

  private async pay(order: Order): Promise<void> {
    this.remember(await this.send('/v1/payments', paymentOf(order, this.random.weighted(this.plan.sources))));
  }

  /** An order, or the payment of one that is nobody else's. */
  private async giveUp(): Promise<void> {
    const order = this.random.chance(0.5) ? await this.ownOrder() : null;
    const payment = order && paymentOf(order, this.random.weighted(this.plan.sources));
    const answer = await this.count(() => this.client.giveUp(order ? '/v1/payments' : '/v1/orders', payment ?? this.wish()));
    if (order) this.remember(answer);
  }

  private remember(answer: Answer | null): void {
    if (answer?.status !== 201) return;
    const { id, amount } = JSON.parse(answer.text) as { id: string; amount: number };
    this.market.payments.push({ id, amount });
  }

  /** The same payment under two keys at once, and under a third one by somebody who means it. */
  private async payAgain(): Promise<void> {
    const payment = paymentOf(await this.someOrder(), this.random.weighted(this.plan.sources));
    const both = await Promise.all([this.send('/v1/payments', payment), this.send('/v1/payments', payment)]);
    for (const answer of both) this.remember(answer);
    this.remember(await this.send('/v1/payments', payment, { prefer: 'handling=lenient' }));
  }

  /** Within less than a second, from a provider that mostly takes longer; and then without haste. */
  private async payInTime(): Promise<void> {
    const order = await this.someOrder();
    const payment = paymentOf(order, this.random.weighted(IN_TIME));
    this.remember(await this.send('/v1/payments', payment, { 'request-deadline': new Date(Date.now() + 1_000).toUTCString() }));
    if (this.random.chance(0.5)) await this.pay(order);
  }

  private async changeProduct(): Promise<void> {
    const path = `/v1/products/${this.random.of(CHANGING)}`;
    const wanted = { name: `Lamp ${this.random.whole(1, 3)}`, unitPrice: this.random.whole(100, 103) };
    await this.count(() => (this.random.chance(0.2) ? this.client.ask('DELETE', path) : this.client.ask('PUT', path, wanted)));
  }

  private async refund(): Promise<void> {
    const payment = this.random.of(this.market.payments);
    if (!payment) return;
    const amount = this.random.chance(0.4) ? {} : { amount: this.random.whole(1, payment.amount) };
    await this.send(`/v1/payments/${payment.id}/refunds`, amount);
  }

  /** Twice what the provider declines. The order is nobody else's: one that were cancelled would keep its money. */
  private async refundInVain(): Promise<void> {
    const order = await this.ownOrder();
    const answer = order && (await this.send('/v1/payments', paymentOf(order, 'tok_refund_declined')));
    if (answer?.status !== 201) return;
    const { id } = JSON.parse(answer.text) as { id: string };
    await this.send(`/v1/payments/${id}/refunds`, {});
    await this.send(`/v1/payments/${id}/refunds`, {});
  }

  private async cancel(order: Order): Promise<void> {
    await this.send(`/v1/orders/${order.id}/cancel`, {});
  }

  /**
   * A provider that refuses for ever. Such an operation may never end, so the order is nobody else's, and the client stops
   * asking; what must hold is that nothing was charged, and that nobody concludes that it failed.
   */
  private async payUnreachable(): Promise<void> {
    const order = await this.ownOrder();
    if (!order) return;
    await this.count(() => this.client.send('/v1/payments', paymentOf(order, 'tok_unavailable'), { tries: 3 }));
  }

  private async send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer | null> {
    if (this.random.chance(this.plan.vanish)) {
      await this.count(() => this.client.sendAndVanish(path, body, headers));
      return null;
    }
    return this.count(() => this.client.send(path, body, { copies: this.random.chance(this.plan.impatience) ? 2 : 1, headers }));
  }

  private async count<T>(send: () => Promise<T>): Promise<T> {
    this.market.started += 1;
    try {
      return await send();
    } finally {
      this.market.finished += 1;
    }
  }
}

function orderOf(told: unknown): Order {
  const { id, total, currency } = told as { id: string; total: number; currency: string };
  return { id, amount: total, currency };
}

function paymentOf({ id, amount, currency }: Order, source: string): object {
  return { orderId: id, amount, currency, source };
}
