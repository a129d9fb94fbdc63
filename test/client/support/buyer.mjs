import { HoldfastClient } from '../../../dist/client/src/index.js';
import { fileStore } from '../../../dist/client/src/node.js';

// A buyer in a process of its own, told by argument what to do: `buy`, which stops at each step until it is told to go on, so that a
// test can kill it there, or `finish`, which a shop does at its start: everything that is pending is brought to its end.
const [, , task, baseUrl, apiKey, directory, customerReference] = process.argv;

/** Tells the test where this is, and waits for its word. */
function reach(step, what) {
  return new Promise((resolve) => {
    process.once('message', resolve);
    process.send({ step, what });
  });
}

const files = fileStore(directory);
/** Stops before and behind the write that keeps an end. */
const store = {
  ...files,
  write: async (key, intent) => {
    if (intent?.outcome) await reach('answered');
    await files.write(key, intent);
    if (intent?.outcome) await reach('stored');
  },
};
const client = new HoldfastClient({ baseUrl, authorization: () => `Bearer ${apiKey}`, store: task === 'buy' ? store : files });

if (task === 'buy') {
  const intent = await client.orders.prepare({ items: [{ productId: '123', quantity: 1 }], customerReference });
  await reach('prepared', intent.key);
  await intent.send();
} else {
  const found = [];
  for (const intent of await client.pending()) found.push({ key: intent.key, outcome: await intent.send() });
  process.send({ step: 'finished', what: found });
}
process.disconnect();
