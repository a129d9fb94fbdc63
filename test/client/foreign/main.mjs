import { HoldfastClient, memoryStore } from '@holdfast/client';
import { fileStore } from '@holdfast/client/node';

const [, , baseUrl, authorization, directory] = process.argv;
for (const store of [memoryStore(), fileStore(directory)]) {
  const client = new HoldfastClient({ baseUrl, authorization: () => authorization, store });
  const outcome = await client.orders.place({ items: [{ productId: '123', quantity: 1 }] });
  console.log(outcome.kind, outcome.body?.id);
}
