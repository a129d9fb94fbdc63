import { FAULTS } from '../../storm/callers/bad-network.js';
import { LIBRARIES, WAYS, fileOf } from '../../storm/callers/libraries.js';
import { blocksOf, marked, read, rowsOf } from './markdown.js';

const page = read('docs/clients.md');
const unindented = (code: string): string => code.replaceAll(/^ +/gm, '').trim();

it('the faults of the network are listed, in their order', () => {
  expect(rowsOf(marked(page, 'faults')).map(([name]) => name)).toEqual([...FAULTS]);
});

it.each(LIBRARIES)('what makes %s right is shown as the command runs it, word for word: three lines at most, and the call', (library) => {
  const [shown, ...others] = blocksOf(marked(page, library));
  const file = fileOf(library);
  expect([shown?.language, others]).toEqual([file.endsWith('.py') ? 'python' : 'js', []]);
  const lines = unindented(shown?.text ?? '').split('\n');
  expect(unindented(read(`storm/callers/libraries/${file}`))).toContain(lines.join('\n'));
  expect(lines.pop()).toMatch(/^return /);
  expect(lines.length).toBeLessThanOrEqual(3);
});

it('each library has a row for each of its ways', () => {
  const rows = rowsOf(page.slice(page.indexOf('| callers '))).map(([name]) => name);
  expect(rows).toEqual(['the client', ...LIBRARIES.flatMap((library) => WAYS.map((way) => `${library}, ${way}`))]);
});
