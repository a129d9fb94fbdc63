import { FAULTS } from '../../storm/callers/bad-network.js';
import { LIBRARIES } from '../../storm/callers/libraries.js';
import { blocksOf, marked, read, rowsOf } from './markdown.js';

const page = read('docs/clients.md');
const unindented = (code: string): string => code.replaceAll(/^ +/gm, '').trim();

it('the faults of the network are listed, in their order', () => {
  expect(rowsOf(marked(page, 'faults')).map(([name]) => name)).toEqual([...FAULTS]);
});

it.each(LIBRARIES)('what makes %s right is shown as the command runs it, word for word', (library) => {
  const [shown, ...others] = blocksOf(marked(page, library));
  expect([shown?.language, others]).toEqual(['js', []]);
  expect(unindented(read(`storm/callers/libraries/${library}.mjs`))).toContain(unindented(shown?.text ?? ''));
});
