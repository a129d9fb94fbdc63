import { HoldfastClient, indexedDbStore, type Order, type Outcome, type Payment } from '@holdfast/client';

interface Cart {
  items: { productId: string; quantity: number }[];
  total: number;
}
declare const session: { userId: string; token(): Promise<string> };
declare const view: {
  confirm(body: unknown): void;
  refuse(why: string | undefined, can: { again: boolean }): void;
  undecided(advice: string): void;
};

// What the README shows.
const shop = new HoldfastClient({
  baseUrl: 'https://shop.example',
  authorization: async () => `Bearer ${await session.token()}`, // asked before each attempt, never stored
  store: indexedDbStore(),
  scope: session.userId, // what one user began is never sent in the name of the next
});

export async function order(cart: Cart): Promise<Outcome<Order>> {
  const intent = await shop.orders.prepare({ items: cart.items, expectedTotal: cart.total });
  return show(await intent.send());
}

export async function pay(order: Order, source: string): Promise<Outcome<Payment>> {
  const intent = await shop.payments.prepare({ orderId: order.id, amount: order.total, currency: order.currency, source });
  return show(await intent.send()); // follows a slow provider to its end
}

// Behind a reload, a crash or a closed tab: everything that was begun is brought to its end, under its own key.
for (const intent of await shop.pending()) show(await intent.send());

function show<T>(outcome: Outcome<T>): Outcome<T> {
  if (outcome.kind === 'done') view.confirm(outcome.body);
  else if (outcome.kind === 'refused') view.refuse(outcome.problem.detail, { again: outcome.newKeyMakesSense });
  else view.undecided(outcome.advice); // it may have happened: offer "check again", not "order again"
  return outcome;
}
