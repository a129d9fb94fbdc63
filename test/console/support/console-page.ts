import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** The console in a browser of its own, with everything that it did that it must not. */
export interface ConsolePage {
  page: Page;
  /** What the content security policy stopped, scripts that failed, and requests that went elsewhere; empty when all is well. */
  offences(): Promise<string[]>;
  /** Every address that was asked for. */
  asked: string[];
  /** Gives it an API key, and waits until it is in use. */
  signIn(key: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the console at a place of it, `#story` for example. */
export async function openConsole(browser: Browser, url: string, at = '', options: BrowserContextOptions = {}): Promise<ConsolePage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  const [offences, asked]: [string[], string[]] = [[], []];
  await page.exposeFunction('tellOffence', (offence: string) => offences.push(offence));
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (stopped) => tellOffence([stopped.violatedDirective, stopped.blockedURI, stopped.sample].join(' ')))`,
  );
  page.on('pageerror', (error) => offences.push(String(error)));
  page.on('request', (request) => {
    asked.push(request.url());
    if (new URL(request.url()).origin !== new URL(url).origin) offences.push(`asked ${request.url()}`);
  });
  await page.goto(`${url}/console${at}`);
  return {
    page,
    asked,
    offences: async () => {
      // What the page has told so far has come when this has.
      await page.evaluate('undefined');
      return offences;
    },
    signIn: async (key) => {
      await page.getByLabel('API key with operations:read').fill(key);
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByRole('button', { name: 'Forget it' }).waitFor();
    },
    close: () => context.close(),
  };
}
