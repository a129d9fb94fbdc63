import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const repository = resolve(__dirname, '../..');

/** A file of the repository, by its path from the root. */
export const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** Every page of the documentation, by its path from the root. */
export const PAGES = [
  'README.md',
  'src/idempotency/README.md',
  'packaging/core/README.md',
  'client/README.md',
  ...['docs', 'ops/runbooks'].flatMap((folder) => readdirSync(join(repository, folder)).map((name) => `${folder}/${name}`)),
].filter((path) => path.endsWith('.md'));

/** A fenced block. */
export interface Block {
  language: string;
  text: string;
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', language = '', text = '']) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** The page without its fenced blocks. */
export const proseOf = (markdown: string): string => markdown.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');

/** What stands between two marks. @throws Error where they are missing */
export function marked(markdown: string, mark: string): string {
  const [, text] = new RegExp(`<!-- ${mark}:begin -->([\\s\\S]*?)<!-- ${mark}:end -->`).exec(markdown) ?? [];
  if (text === undefined) throw new Error(`nothing is marked ${mark}`);
  return text;
}

/** The rows of the first table in a text, without its head; a cell's code is without its backticks, and an escaped bar is a bar. */
export function rowsOf(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) =>
        cell
          .trim()
          .replaceAll('\\|', '|')
          .replace(/^`([^`]*)`/, '$1'),
      ),
  );
}

/** The anchors of a page, as GitHub makes them of its headings. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(markdown).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** A link as it is written on a page: where it leads, from the root, and the anchor behind it. */
export interface Link {
  target: string;
  path: string;
  anchor: string | undefined;
}

/** The links of a page to this repository, pictures and definitions too. */
export function linksOf(page: string): Link[] {
  const prose = proseOf(read(page));
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g), ...prose.matchAll(/^\[[^\]]+\]: (\S+)$/gm)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { target, path: path === '' ? page : join(dirname(page), path), anchor };
    });
}
