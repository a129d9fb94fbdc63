import { FAULTS } from '../../storm/callers/bad-network.js';
import { run, type Service } from '../../storm/callers/contest.js';
import { Shop } from '../../storm/callers/holdfast.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { KEY_A } from '../support/keys.js';
import { startProcess, type ApiProcess } from '../support/process.js';

let database: TestDatabase;
let replicas: ApiProcess[];
beforeAll(async () => {
  database = await createMigratedDatabase();
  replicas = await Promise.all([startProcess(database.url), startProcess(database.url)]);
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.kill('SIGTERM')));
  await database.drop();
});

it('a hundred orders by twenty clients, through a network that harms every second request: each is told its one end', async () => {
  const service: Service = {
    replicas: replicas.map(({ url }) => url),
    apiKey: KEY_A,
    query: (text, values) => database.query(text, values),
  };
  const terms = { orders: 100, callers: 20, share: 0.5, seed: 7 };
  const { books, requests, faults } = await run(service, terms, { name: 'shop', open: (url) => new Shop(url, KEY_A) });
  // Every tenth is of a product of which there are five.
  expect(books).toEqual({ placed: 95, refused: 5, unanswered: 0, unansweredWithOrder: 0, duplicates: 0, lies: [] });
  expect(requests).toBeGreaterThan(100);
  expect(FAULTS.filter((fault) => faults[fault] === 0)).toEqual([]);
});
