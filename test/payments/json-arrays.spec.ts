import { elementsOf } from '../../src/payments/provider/json-arrays.js';

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  // One buffer for all pieces, as a socket may do it.
  const piece = Buffer.alloc(size);
  for (let from = 0; from < bytes.length; from += size) yield piece.subarray(0, bytes.copy(piece, 0, from, from + size));
}

async function read(text: string, size = 7, wanted = ['charges', 'refunds']): Promise<[string, unknown][]> {
  const found: [string, unknown][] = [];
  for await (const element of elementsOf(inPieces(text, size), new Set(wanted))) found.push(element);
  return found;
}

const ELEMENTS = [
  { id: 'ch_1', reference: 'plain' },
  { id: '"}],{[', reference: '\\"\\\\"' },
  { id: 'Zoë 😀 \u0007', nested: { a: [1, { b: '}' }] }, amount: 12 },
  {},
];
const LEDGER = { charges: ELEMENTS, requests: [{ id: 'no' }], refunds: [ELEMENTS[1]], 'na"me': [{ id: 'no' }] };
const EXPECTED = [...ELEMENTS.map((element) => ['charges', element]), ['refunds', ELEMENTS[1]]];

it.each([1, 2, 3, 5, 16, 4096])('reads the wanted arrays alone, whole and in order, in pieces of %p bytes', async (size) => {
  expect(await read(JSON.stringify(LEDGER), size)).toEqual(EXPECTED);
  expect(await read(JSON.stringify(LEDGER, null, 2), size)).toEqual(EXPECTED);
});

it('finds nothing in empty arrays and objects', async () => {
  expect(await read('{}')).toEqual([]);
  expect(await read('{"charges":[],"refunds":[]}')).toEqual([]);
});

it.each(['', '{', '{"charges":[{"id":"ch_1"}', '{"charges":[{"id":"ch'])('refuses a text that ends too early: %p', async (text) => {
  await expect(read(text)).rejects.toThrow(SyntaxError);
});

it('refuses an element that is no JSON', async () => {
  await expect(read('{"charges":[{id:1}]}')).rejects.toThrow(SyntaxError);
});
