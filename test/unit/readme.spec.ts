import { readFileSync } from 'node:fs';
import { PROBLEMS } from '../../src/http/problem-table.js';

const readme = readFileSync('README.md', 'utf8');

it('shows the lifted application that the tests run, word for word', () => {
  const shown = /<!-- lift:begin -->\s*```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(shown).toContain('IdempotencyModule.forRoot');
  expect(readFileSync('test/support/lifted-app.ts', 'utf8')).toContain(shown.trimEnd());
});

it('lists every problem with its status, verdict and title, and no other', () => {
  const table = /<!-- problems:begin -->([\s\S]*?)<!-- problems:end -->/.exec(readme)?.[1] ?? '';
  const listed = table.match(/^\| \d.*$/gm) ?? [];
  const present = Object.entries(PROBLEMS).map(([code, { status, retry, title }]) => `| ${status} | \`${code}\` | ${retry} | ${title} |`);
  const cells = (row: string): string => row.replace(/\s+/g, ' ');
  expect(listed.map(cells).sort()).toEqual(present.sort());
});

it('names only commands that exist', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const [, name] of readme.matchAll(/npm run ([a-z0-9:]+)/g)) expect(Object.keys(scripts)).toContain(name);
});
