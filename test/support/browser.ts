import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Debian's, and Google's, which CI's machines at GitHub have. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/google-chrome'];
/** A page without a font has no text; Chromium only recommends one. */
const PACKAGES = 'chromium fonts-liberation';
const INSTALL = `apt-get -qq update && apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 install ${PACKAGES}`;

let found: string | null | undefined;

/** Where Chromium is: CHROMIUM_PATH, else where packages put it; null without one. Root in CI installs Debian's first. */
function chromiumPath(): string | null {
  if (found !== undefined) return found;
  const named = process.env['CHROMIUM_PATH'];
  if (named) return (found = existsSync(named) ? named : null);
  if (!PLACES.some((place) => existsSync(place)) && process.getuid?.() === 0 && process.env['CI']) install();
  return (found = PLACES.find((place) => existsSync(place)) ?? null);
}

/** Two test files may want it at once: the second one finds it installed. */
function install(): void {
  const unlessThere = PLACES.map((place) => `[ -x ${place} ]`).join(' || ');
  const script = `exec 9>/tmp/holdfast-chromium.lock && flock 9 && { ${unlessThere} || { ${INSTALL}; }; }`;
  const { status, stderr } = spawnSync('sh', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // The tests are left out then, and say so; this says why.
  if (status !== 0) process.stderr.write(`Chromium could not be installed: ${stderr}\n`);
}

/** Why there is no browser to test with, or null. */
export function whyNoBrowser(): string | null {
  if (chromiumPath() !== null) return null;
  const where = process.env['CHROMIUM_PATH']
    ? 'CHROMIUM_PATH names no file'
    : `none of ${PLACES.join(', ')} is there, nor CHROMIUM_PATH set`;
  return `no Chromium: ${where}; Debian has it as a package: apt-get install ${PACKAGES}`;
}

/** Starts Chromium without a window. Close it at the end. @throws Error where `whyNoBrowser` says why */
export function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error(whyNoBrowser() ?? '');
  return chromium.launch({ executablePath });
}

/**
 * Tests that need a browser, which is started once for all of them. Where there is none they are left out, and the suite's name says
 * why.
 */
export function describeInBrowser(name: string, tests: (browser: () => Browser) => void): void {
  const missing = whyNoBrowser();
  (missing === null ? describe : describe.skip)(`${name}${missing === null ? '' : ` (left out: ${missing})`}`, () => {
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
