import { readFileSync } from 'node:fs';
import { MONEY_OPERATIONS } from '../../src/payments/money-operations.js';

it('each operation that moves money is one that there is', () => {
  const { paths } = JSON.parse(readFileSync('openapi.json', 'utf8')) as { paths: Record<string, object> };
  const routes = Object.keys(paths).map((path) => `POST ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
  expect(routes).toEqual(expect.arrayContaining(MONEY_OPERATIONS.filter((operation) => operation.startsWith('POST '))));
});
