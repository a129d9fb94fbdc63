import { fileStore } from '../../../dist/client/src/node.js';

// Takes a lock of a store, says so, and keeps it until it is ended.
const [, , directory, lock] = process.argv;
await fileStore(directory).lock(lock, () => {
  process.send('had');
  return new Promise(() => setInterval(() => undefined, 1_000));
});
