import { readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import type { HoldfastClient } from '../../../client/src/index.js';
import { KEY_A } from '../../support/app.js';
import type { Files } from './gate.js';

const PAGE = join(__dirname, 'page');
/** As `npm run build` makes it: modules that a browser loads as they are. */
const CLIENT = join(__dirname, '../../../dist/client/src');
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };

/** What the page of a shop is made of: its own files, and the client below /client/. */
export const shopFiles: Files = (path) => {
  if (path === '/settings.json') return { type: 'application/json', body: JSON.stringify({ apiKey: KEY_A }) };
  const name = normalize(path === '/' ? '/index.html' : path);
  const file = name.startsWith('/client/') ? join(CLIENT, name.slice('/client'.length)) : join(PAGE, name);
  try {
    return { type: TYPES[extname(file)] ?? 'application/octet-stream', body: readFileSync(file) };
  } catch {
    return null;
  }
};

declare global {
  /** The page's, inside of `evaluate`. */
  var client: HoldfastClient;
  var isReady: boolean | undefined;
}

/** Opens the shop in a tab of its own, and waits until it can order. */
export async function openShop(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await untilReady(page);
  return page;
}

/** Loads the page anew. */
export async function reload(page: Page): Promise<void> {
  await page.reload();
  await untilReady(page);
}

async function untilReady(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.isReady);
}
