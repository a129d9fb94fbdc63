import { randomBytes, randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

/** The account that the load works for, and another one beside it. */
export const API_KEY = `hf_test_${'0'.repeat(26)}_benchmarkbenchmark`;
export const OTHER_API_KEY = `hf_test_${'1'.repeat(26)}_benchmarkbenchmark`;

/** Two of so many that orders which run at the same time hardly ever meet at a row. */
export const PRODUCTS = 1_000;

/** The name of the product with this number. */
export function productId(number: number): string {
  return `bench-${String(number % PRODUCTS).padStart(4, '0')}`;
}

/** A request as the load sends it. */
export interface Prepared {
  key: string;
  body: string;
}

/** `uuidv7`: new keys lie side by side in an index. `random`: each goes somewhere else. */
export type KeyStyle = 'uuidv7' | 'random';

/** An order with two items under a new key. */
export function freshOrder(style: KeyStyle): Prepared {
  const first = randomBytes(2).readUInt16BE();
  const items = [productId(first), productId(first + 1)].map((id) => ({ productId: id, quantity: 1 }));
  return { key: style === 'uuidv7' ? uuidv7() : randomUUID(), body: JSON.stringify({ items }) };
}
