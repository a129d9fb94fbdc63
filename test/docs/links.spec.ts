import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { variableNames } from '../../src/kernel/config.js';
import { PAGES, anchorsOf, blocksOf, linksOf, proseOf, read } from './markdown.js';

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** In capitals as variables are, and none of Holdfast's. */
const OTHERS = new Set(
  [
    // The tests', and those of the end-to-end suite.
    'BASE_URL TEST_SERVER_URL CHROMIUM_PATH PGBOUNCER HAPROXY NGINX',
    // What the pages themselves set.
    'API KEY TRY ORDER OPERATION',
    // Planned: setting it stops the start.
    'RATE_LIMIT',
    // HTTP, SQL and Nest.
    'APP_INTERCEPTOR METHOD_METADATA GET HEAD POST PUT PATCH DELETE OPTIONS WHERE ANALYZE HTTP_CODE_METADATA',
  ].flatMap((names) => names.split(' ')),
);

it('there are pages', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/lifting.md', 'docs/problems.md', 'src/idempotency/README.md']));
});

describe.each(PAGES)('%s', (page) => {
  const text = read(page);

  it('leads somewhere with every link', () => {
    const broken = linksOf(page).filter(({ path, anchor }) => {
      if (!existsSync(path)) return true;
      return anchor !== undefined && !anchorsOf(read(path)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names only commands that exist', () => {
    const named = [...text.matchAll(/npm run ([a-z0-9:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only files that exist', () => {
    const named = [...text.matchAll(/`((?:src|test|bench|docs|migrations|sandbox|local|ops|storm|\.ci|\.github)\/[\w./-]+)`/g)];
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(path) && !existsSync(`${path}.ts`))).toEqual([]);
  });

  it('names only variables that are read', () => {
    const code = [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, inline = '']) => inline).join('\n');
    const named = [...code.matchAll(/^\$?([A-Z][A-Z0-9_]{2,})(?==|$)/gm)].map(([, name = '']) => name);
    expect(named.filter((name) => !variableNames.includes(name) && !OTHERS.has(name))).toEqual([]);
  });

  it('has only blocks that a shell can read', () => {
    for (const { text: script } of blocksOf(text).filter(({ language }) => language === 'sh')) {
      expect([script, spawnSync('bash', ['-n'], { input: script }).stderr.toString()]).toEqual([script, '']);
    }
  });
});

it('every page of docs is led to from the README', () => {
  const led = new Set(linksOf('README.md').map(({ path }) => path));
  expect(PAGES.filter((page) => page.startsWith('docs/') && !led.has(page))).toEqual([]);
});
