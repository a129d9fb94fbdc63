import { HoldfastClient, IdempotentClient, memoryStore, type Outcome, type Store } from '@holdfast/client';
import { fileStore } from '@holdfast/client/node';

const store: Store = fileStore('/tmp/intents');
const client = new HoldfastClient({ baseUrl: 'https://shop.example', authorization: async () => 'Bearer a', store });

export async function order(): Promise<string> {
  const intent = await client.orders.prepare({ items: [{ productId: '123', quantity: 1 }] });
  const outcome = await intent.send({ signal: AbortSignal.timeout(1_000) });
  if (outcome.kind === 'done') return outcome.body.id;
  if (outcome.kind === 'refused') return outcome.newKeyMakesSense ? 'again' : outcome.problem.status.toFixed();
  return outcome.next satisfies 'send-again' | 'look-up';
}

// @ts-expect-error an order has items
void client.orders.prepare({});

export const other: Promise<Outcome<{ id: number }>> = new IdempotentClient({ baseUrl: '', store: memoryStore() }).place<{ id: number }>({
  method: 'POST',
  path: '/',
});
