import { HoldfastClient, indexedDbStore } from '@holdfast/client';

const client = new HoldfastClient({
  baseUrl: location.origin,
  authorization: () => `Bearer ${new URLSearchParams(location.hash.slice(1)).get('key')}`,
  store: indexedDbStore(),
});
const outcome = await client.orders.place({ items: [{ productId: '123', quantity: 1 }] });
const [output] = document.getElementsByTagName('output');
if (output) output.textContent = outcome.kind;
