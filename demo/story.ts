import { setTimeout as sleep } from 'node:timers/promises';
import { publicId } from '../src/kernel/ids.js';
import { Customer, type Answer, type Wish } from './customer.js';
import type { Narrator } from './narrator.js';
import type { DemoWorld } from './world.js';

/** Takes the money at once, and never answers the first time. */
const PROVIDER_THAT_HANGS = 'tok_hang_after';
/** How long a retry may wait for the result, in seconds (RFC 7240). */
const WAIT = 30;
/** How long something may take that is awaited, in milliseconds. */
const PATIENCE = 30_000;

/** One customer's order and its payment, with everything in the way that can be. */
export async function tellStory(world: DemoWorld, narrator: Narrator): Promise<void> {
  const customer = new Customer(world.url, world.apiKey);
  const suffix = crypto.randomUUID().slice(0, 8);
  const wish: Wish = { path: '/v1/orders', key: `order-${suffix}`, body: { items: [{ productId: '123', quantity: 1 }] } };
  const order = await orderWhoseAnswerIsLost(world, customer, wish, narrator);
  const body = { orderId: order['id'], amount: order['total'], currency: order['currency'], source: PROVIDER_THAT_HANGS };
  const payment: Wish = { path: '/v1/payments', key: `pay-${suffix}`, body };
  const clicks = await doubleClick(world, customer, payment, narrator);

  narrator.scene('kill -9 of the API, in the middle of that');
  await world.killApi();
  for (const click of await Promise.allSettled(clicks)) {
    if (click.status === 'rejected') narrator.note('the connection of the click that waits breaks: it knows nothing');
  }

  narrator.scene('A restart');
  await world.startApi();
  narrator.note('the API serves again');

  narrator.scene('A retry: the same payment, the same key');
  const paid = await untilFinal(customer, payment, narrator);
  narrator.came(paid, `${String(paid.body['id'])} ${String(paid.body['status'])}`);
}

async function orderWhoseAnswerIsLost(
  world: DemoWorld,
  customer: Customer,
  wish: Wish,
  narrator: Narrator,
): Promise<Record<string, unknown>> {
  narrator.scene('An order whose answer is lost');
  narrator.goes(wish, 'the connection is cut before the answer is read');
  const made = await customer.sendAndHangUp(wish, () =>
    eventually('the order', async () => (await world.query<{ id: string }>('SELECT id FROM orders'))[0]),
  );
  narrator.note(`in the database is ${publicId('ord', made.id)}, of which the customer knows nothing`);
  narrator.goes(wish, 'the same request again');
  const answer = await customer.send(wish);
  narrator.came(answer, String(answer.body['id']));
  return answer.body;
}

/** Two at once. Returns both, when one has been refused and the other waits for a provider that has taken the money. */
async function doubleClick(world: DemoWorld, customer: Customer, payment: Wish, narrator: Narrator): Promise<Promise<Answer>[]> {
  narrator.scene('A double-click on Pay, and a provider that takes the money and hangs');
  narrator.goes(payment, 'twice at the same moment');
  const clicks = [customer.send(payment), customer.send(payment)];
  // What becomes of the one that waits is for later.
  for (const click of clicks) click.catch(() => undefined);
  narrator.came(await Promise.race(clicks), 'one click');
  const charge = await eventually('the charge', async () => (await world.ledger()).charges[0]);
  narrator.note(`at the provider is ${charge.id}, and the other click waits`);
  return clicks;
}

/** Sends it until there is an answer that is final, as `Retry-After` asks. */
async function untilFinal(customer: Customer, wish: Wish, narrator: Narrator): Promise<Answer> {
  for (;;) {
    narrator.goes(wish, `willing to wait for ${WAIT} s`);
    const answer = await customer.send(wish, { prefer: `wait=${WAIT}` });
    const again = answer.headers.get('retry-after');
    if (again === null) return answer;
    narrator.came(answer, `again in ${again} s`);
    await sleep(Number(again) * 1_000);
  }
}

async function eventually<T>(what: string, find: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await sleep(20)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not come`);
}
