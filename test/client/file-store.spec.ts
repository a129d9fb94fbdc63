import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileStore } from '../../client/src/node.js';
import { eventually } from '../support/eventually.js';

let directory: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Another process that takes a lock, tells so, and keeps it; resolves when it has it. */
async function holderOf(lock: string): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'support/lock-holder.mjs'), [directory, lock], { execArgv: [] });
  children.push(child);
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error('the holder has ended')));
  });
  return child;
}

const claims = (): string[] => readdirSync(join(directory, 'locks'));

it('a lock that another process has is waited for, and is had when kill -9 has ended that one', async () => {
  const holder = await holderOf('one');
  let had = false;
  const mine = fileStore(directory).lock('one', async () => (had = true));
  await fileStore(directory).lock('two', async () => undefined);
  expect([had, claims()]).toEqual([false, [expect.any(String)]]);
  holder.kill('SIGKILL');
  await mine;
  await eventually('no claim to be left', () => claims().length === 0);
});

it('of many processes that want a lock, one has it at a time, also when holders are killed', async () => {
  const first = await holderOf('one');
  const others = [holderOf('one'), holderOf('one'), holderOf('one')];
  first.kill('SIGKILL');
  for (let left = others.length; left > 0; left -= 1) {
    const held = await Promise.race(others.map(async (other, index) => ({ index, child: await other })));
    // Nobody else has it: what they wait for would have come by the time that this lock of ours was looked at a few times.
    const given = new AbortController();
    const mine = fileStore(directory).lock('one', async () => 'had', given.signal);
    const rival = await Promise.race([mine, new Promise((resolve) => setTimeout(resolve, 300, 'waiting'))]);
    expect(rival).toBe('waiting');
    given.abort(new Error('given up'));
    await expect(mine).rejects.toThrow('given up');
    void others.splice(held.index, 1);
    held.child.kill('SIGKILL');
  }
});

it('the claim of a process whose number another one has by now holds nobody up', async () => {
  const store = fileStore(directory);
  let claim = '';
  await store.lock('one', async () => ([claim = ''] = claims()));
  const parts = claim.split('.');
  const [boot] = (parts[3] ?? '').split('-');
  // This very process, but begun at another time; and one of another machine.
  for (const [at, part] of [
    [3, `${boot}-1`],
    [1, 'another'],
  ] as const)
    writeFileSync(join(directory, 'locks', parts.map((each, index) => (index === at ? part : each)).join('.')), '');
  expect(await store.lock('one', async () => 'had')).toBe('had');
  expect(claims()).toEqual([]);
});

describe('when a write has resolved', () => {
  let synced: string[];
  beforeEach(async () => {
    synced = [];
    const handle = await open(directory);
    await handle.close();
    const files = Object.getPrototypeOf(handle) as FileHandle;
    const sync = Reflect.get(files, 'sync');
    jest.spyOn(files, 'sync').mockImplementation(async function (this: FileHandle) {
      const path = readlinkSync(`/proc/self/fd/${this.fd}`);
      await sync.call(this);
      synced.push(path);
    });
  });
  afterEach(() => jest.restoreAllMocks());

  const intent = { version: 1, key: 'one', scope: '', method: 'POST', path: '/', headers: {}, body: null, madeAt: 1, attempts: 0 } as const;
  const above = (folder: string): string[] => (folder === directory ? [folder] : [folder, ...above(dirname(folder))]);

  it.each([
    ['that it has made', () => undefined],
    ['that somebody else has just made', (folder: string) => mkdirSync(join(folder, 'intents'), { recursive: true })],
  ])('the folders %s are on the disk as well, up to the one that was there; once', async (_whose, make) => {
    const folder = join(directory, 'made', 'when needed');
    make(folder);
    const store = fileStore(folder);
    await store.write('another', null);
    synced = [];
    await store.write('one', intent);
    expect(synced[0]).toMatch(/\.tmp$/);
    expect(synced.slice(1, 5)).toEqual(above(join(folder, 'intents')));
    synced = [];
    await store.write('one', intent);
    expect(synced).toEqual([expect.stringMatching(/\.tmp$/), join(folder, 'intents')]);
  });
});

it('a write that was killed before its rename leaves the intent as it was, and nothing for ever', async () => {
  const store = fileStore(directory);
  const intents = join(directory, 'intents');
  mkdirSync(intents);
  const [young, old] = [join(intents, 'a.json.1.tmp'), join(intents, 'b.json.1.tmp')];
  for (const file of [young, old]) writeFileSync(file, '{"key":');
  const yesterday = Date.now() / 1_000 - 86_400;
  utimesSync(old, yesterday, yesterday);
  expect(await store.list()).toEqual([]);
  expect(readdirSync(intents)).toEqual(['a.json.1.tmp']);
});
