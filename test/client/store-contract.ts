import type { Store, StoredIntent } from '../../client/src/store.js';

/** A rule of stores: rejects, with what it found, where the store breaks it. */
export interface StoreRule {
  name: string;
  check: (open: () => Promise<Store>) => Promise<void>;
}

const wanted = (key: string, change: Partial<StoredIntent> = {}): StoredIntent => ({
  version: 1,
  key,
  scope: '',
  method: 'POST',
  path: '/v1/orders',
  headers: { 'content-type': 'application/json' },
  body: '{"items":[{"productId":"123","quantity":1}],"customerReference":"Café №7 \\" 🎈"}',
  madeAt: 1_768_469_400_000.25,
  attempts: 0,
  ...change,
});

/**
 * What every store must do. `open` gives it anew, on the same data: as another tab or process has it. Runs in Node and in a
 * browser, so it needs nothing of either, and no test runner.
 */
export const STORE_RULES: StoreRule[] = [
  {
    name: 'what was never written is not there',
    check: async (open) => {
      const store = await open();
      same(await store.read('nothing'), undefined);
      same(await store.list(), []);
      await store.write('nothing', null);
    },
  },
  {
    name: 'what was written is read as it was, also by others',
    check: async (open) => {
      const outcome = { kind: 'done', status: 201, body: { a: [null, '\u0000', 'ü'] }, headers: { etag: '"1"' }, replayed: false } as const;
      const intent = wanted('one', { lane: 'till', expiresAt: 5, outcome });
      await (await open()).write('one', intent);
      for (const store of [await open(), await open()]) {
        same(await store.read('one'), intent);
        same(await store.list(), [intent]);
      }
    },
  },
  {
    name: 'a write takes the place of the one before it, and of no other',
    check: async (open) => {
      const store = await open();
      await store.write('one', wanted('one'));
      await store.write('two', wanted('two'));
      await store.write('one', wanted('one', { attempts: 1, expiresAt: 7 }));
      same(await store.read('one'), wanted('one', { attempts: 1, expiresAt: 7 }));
      same(await keys(store), ['one', 'two']);
    },
  },
  {
    name: 'what is removed is gone, for others as well, and can be written again',
    check: async (open) => {
      const store = await open();
      await store.write('one', wanted('one'));
      await store.write('two', wanted('two'));
      await store.write('one', null);
      same(await (await open()).read('one'), undefined);
      same(await keys(await open()), ['two']);
      await store.write('one', wanted('one', { attempts: 3 }));
      same(await (await open()).read('one'), wanted('one', { attempts: 3 }));
    },
  },
  {
    name: 'any key is a key: all visible characters, 255 of them, and differences of case',
    check: async (open) => {
      const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
      const all = [visible, 'k'.repeat(255), '/'.repeat(255), '.', '..', 'case', 'CASE', '__proto__', 'nul.json'];
      const store = await open();
      for (const key of all) await store.write(key, wanted(key));
      for (const key of all) same((await store.read(key))?.key, key);
      same(await keys(store), [...all].sort());
    },
  },
  {
    name: 'what is changed behind a write or a read changes nothing in the store',
    check: async (open) => {
      const store = await open();
      const written = wanted('one');
      await store.write('one', written);
      written.attempts = 9;
      const read = await store.read('one');
      if (read) read.headers['x-changed'] = 'yes';
      same(await store.read('one'), wanted('one'));
    },
  },
  {
    name: 'hundred writes at once are all there',
    check: async (open) => {
      const stores = [await open(), await open()];
      await Promise.all(Array.from({ length: 100 }, async (_, index) => stores[index % 2]?.write(`${index}`, wanted(`${index}`))));
      for (const store of stores) same((await store.list()).length, 100);
    },
  },
  {
    name: 'a lock is in one hand at a time, whoever asks, and all get it',
    check: async (open) => {
      const stores = [await open(), await open(), await open()];
      let inside = 0;
      const seen: number[] = [];
      const work = async (): Promise<void> => {
        seen.push((inside += 1));
        await pause();
        inside -= 1;
      };
      await Promise.all(Array.from({ length: 12 }, async (_, index) => stores[index % 3]?.lock('one', work)));
      same(
        seen,
        Array.from({ length: 12 }, () => 1),
      );
    },
  },
  {
    name: 'locks of different names hold nobody up',
    check: async (open) => {
      const [store, other] = [await open(), await open()];
      await store.lock('one', () => other.lock('two', async () => undefined));
    },
  },
  {
    name: 'a lock gives what its work gave, and is free behind work that failed',
    check: async (open) => {
      const store = await open();
      same(await store.lock('one', async () => 'result'), 'result');
      same(await reason(store.lock('one', async () => Promise.reject(new Error('failed')))), 'failed');
      same(await (await open()).lock('one', async () => 'free'), 'free');
    },
  },
  {
    name: 'whoever gives up waiting never gets the lock, and those behind them do',
    check: async (open) => {
      const [store, other] = [await open(), await open()];
      const givenUp = new AbortController();
      let ran = false;
      let behind: Promise<string> | undefined;
      await store.lock('one', async () => {
        const waiting = [store, other].map((each) => reason(each.lock('one', async () => (ran = true), givenUp.signal)));
        behind = other.lock('one', async () => 'behind');
        await pause();
        givenUp.abort(new Error('given up'));
        same(await Promise.all(waiting), ['given up', 'given up']);
      });
      same(await behind, 'behind');
      same(await reason(store.lock('one', async () => (ran = true), givenUp.signal)), 'given up');
      same(ran, false);
    },
  },
  {
    name: 'a lock that was had is not lost by its signal',
    check: async (open) => {
      const [store, other] = [await open(), await open()];
      const late = new AbortController();
      const order: string[] = [];
      let second: Promise<unknown> | undefined;
      await store.lock(
        'one',
        async () => {
          second = other.lock('one', async () => order.push('second'));
          late.abort();
          await pause();
          order.push('first');
        },
        late.signal,
      );
      await second;
      same(order, ['first', 'second']);
    },
  },
];

const keys = async (store: Store): Promise<string[]> => (await store.list()).map(({ key }) => key).sort();
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const reason = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );

function same(found: unknown, expected: unknown): void {
  const [one, other] = [text(found), text(expected)];
  if (one !== other) throw new Error(`found ${one} and not ${other}`);
}

/** JSON with sorted members, in which nothing stays nothing. */
function text(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort()) : each,
  );
}
