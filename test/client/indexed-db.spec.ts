import type { Page } from 'playwright-core';
import { describeInBrowser } from '../support/browser.js';
import { servePage, type PageServer } from './support/browser-page.js';
import type { StorePage } from './support/store-page.js';
import { STORE_RULES } from './store-contract.js';

type InPage = typeof globalThis & StorePage;

describeInBrowser('in IndexedDB', (browser) => {
  let server: PageServer;
  let page: Page;
  let count = 0;
  beforeAll(async () => {
    server = await servePage('store-page.ts');
    page = await (await browser().newContext()).newPage();
    await page.goto(server.url);
  });
  afterAll(() => server.close());

  const otherTab = async (): Promise<Page> => {
    const tab = await page.context().newPage();
    await tab.goto(server.url);
    return tab;
  };

  it.each(STORE_RULES)('$name', async ({ name }) => {
    const database = `store-${(count += 1)}`;
    await expect(
      page.evaluate(([rule, of]) => (globalThis as InPage).check(rule ?? '', of ?? ''), [name, database]),
    ).resolves.toBeUndefined();
  });

  it('what a tab has written is there for another one, and after a reload', async () => {
    const intent = { version: 1, key: 'k', scope: '', method: 'POST', path: '/', headers: {}, body: null, madeAt: 1, attempts: 0 } as const;
    await page.evaluate((stored) => (globalThis as InPage).store('shared').write('k', stored), intent);
    await page.reload();
    for (const tab of [page, await otherTab()])
      expect(await tab.evaluate(() => (globalThis as InPage).store('shared').read('k'))).toEqual(intent);
  });

  it('a lock that another tab has is waited for, and is had when that one is closed', async () => {
    const tab = await otherTab();
    await tab.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const forEver = new Promise<void>(() => undefined);
          void (globalThis as InPage).store('locked').lock('one', () => (resolve(), forEver));
        }),
    );
    const waiting = page.evaluate(() => (globalThis as InPage).store('locked').lock('one', async () => 'had'));
    await page.evaluate(() => (globalThis as InPage).store('locked').lock('two', async () => 'had'));
    const { held = [], pending = [] } = await page.evaluate(async () => {
      const { held, pending } = await navigator.locks.query();
      return { held: held?.map(({ name }) => name), pending: pending?.map(({ name }) => name) };
    });
    expect([held, pending]).toEqual([['locked/one'], ['locked/one']]);
    await tab.close();
    expect(await waiting).toBe('had');
  });
});
