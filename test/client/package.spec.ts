import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { KEY_A, startWorld, type World } from '../support/app.js';
import { describeInBrowser } from '../support/browser.js';
import { installProject, registryAnswers } from '../package/install.js';

const ROOT = join(__dirname, '..', '..');
const answers = registryAnswers();
const skipped = answers ? '' : ' (skipped: the npm registry gives no packages here)';
const run = promisify(execFile);

describe('the packed client', () => {
  let folder: string;
  let tarball: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-packed-'));
    tarball = execFileSync('npm', ['run', '--silent', 'pack:client', '--', folder], { cwd: ROOT, encoding: 'utf8' }).trim();
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has 12 kB at most in a browser, compressed, and nothing of Node', () => {
    const { outputFiles } = buildSync({
      entryPoints: [join(folder, 'package/esm/index.js')],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    const code = outputFiles[0]?.contents ?? Buffer.alloc(0);
    const size = gzipSync(code, { level: 9 }).length;
    expect(size).toBeGreaterThan(1_000);
    expect(size).toBeLessThanOrEqual(12_000);
    expect(Buffer.from(code).toString()).not.toMatch(/\bnode:|\bprocess\.|\brequire\(|\bBuffer\b/);
  });

  it('depends on nothing', () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8')) as Record<string, unknown>;
    expect(Object.keys(manifest).filter((name) => /dependencies/i.test(name))).toEqual([]);
  });

  (answers ? describe : describe.skip)(`in a foreign project${skipped}`, () => {
    let world: World;
    let directory: string;
    beforeAll(async () => {
      const dependencies = { '@holdfast/client': `file:${tarball}`, vite: '8.3.8', '@types/node': '20.19.0' };
      [world, directory] = await Promise.all([
        startWorld(),
        installProject({ name: 'shop', type: 'module', dependencies }, join(__dirname, 'foreign')),
      ]);
    }, 300_000);
    afterAll(async () => {
      await world?.close();
      if (directory) rmSync(directory, { recursive: true });
    });

    it.each([
      ['ES modules', 'main.mjs'],
      ['CommonJS', 'main.cjs'],
    ])('of %s places orders', async (_name, script) => {
      const { stdout } = await run(process.execPath, [script, world.url, `Bearer ${KEY_A}`, 'intents'], { cwd: directory });
      expect(stdout).toMatch(/^done ord_\w+\ndone ord_\w+\n$/);
    });

    it('has types for ES modules and for CommonJS', async () => {
      const flags = '--noEmit --strict --module nodenext --target es2022 --lib es2022 --types node'.split(' ');
      const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags, 'module.mts', 'commonjs.cts', 'shop.mts'];
      const { stdout } = await run(process.execPath, tsc, { cwd: directory }).catch((error: { stdout: string }) => error);
      expect(stdout).toBe('');
    });

    describeInBrowser('with a page of Vite', (browser) => {
      it('orders in it', async () => {
        await run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'error'], { cwd: directory });
        const page = await browser().newPage();
        await page.route('http://shop.localhost/**', async (route) => {
          const { pathname } = new URL(route.request().url());
          // Asked for here: a page of another origin may not reach the loopback.
          if (pathname.startsWith('/v1/')) return route.fulfill({ response: await route.fetch({ url: world.url + pathname }) });
          return route.fulfill({ path: join(directory, 'dist', pathname === '/' ? 'index.html' : pathname) });
        });
        await page.goto(`http://shop.localhost/#key=${KEY_A}`);
        await page.waitForFunction(() => document.querySelector('output')?.textContent);
        expect(await page.textContent('output')).toBe('done');
      });
    });
  });
});
