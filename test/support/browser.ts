import { chromium, type Browser } from 'playwright-core';
import { leftOut, pathOf, whyMissing, type Program } from './debian.js';

const CHROMIUM: Program = {
  name: 'Chromium',
  // Debian's, and Google's, which CI's machines at GitHub have.
  places: ['/usr/bin/chromium', '/usr/bin/google-chrome'],
  // A page without a font has no text; Chromium only recommends one.
  packages: 'chromium fonts-liberation',
  variable: 'CHROMIUM_PATH',
};

/** Why there is no browser to test with, or null. */
export const whyNoBrowser = (): string | null => whyMissing(CHROMIUM);

/** Starts Chromium without a window. Close it at the end. @throws Error where `whyNoBrowser` says why */
export function launchBrowser(): Promise<Browser> {
  const executablePath = pathOf(CHROMIUM);
  if (executablePath === null) throw new Error(whyNoBrowser() ?? '');
  return chromium.launch({ executablePath });
}

/**
 * Tests that need a browser, which is started once for all of them. Where there is none they are left out, and the suite's name says
 * why.
 */
export function describeInBrowser(name: string, tests: (browser: () => Browser) => void): void {
  const missing = whyNoBrowser();
  (missing === null ? describe : describe.skip)(`${name}${leftOut(missing)}`, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser?.close());
    tests(() => {
      if (!browser) throw new Error('the browser is there within the tests only');
      return browser;
    });
  });
}
