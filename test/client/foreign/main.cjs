const { HoldfastClient, memoryStore } = require('@holdfast/client');
const { fileStore } = require('@holdfast/client/node');

const [, , baseUrl, authorization, directory] = process.argv;
void (async () => {
  for (const store of [memoryStore(), fileStore(directory)]) {
    const client = new HoldfastClient({ baseUrl, authorization: () => authorization, store });
    const outcome = await client.orders.place({ items: [{ productId: '123', quantity: 1 }] });
    console.log(outcome.kind, outcome.body?.id);
  }
})();
