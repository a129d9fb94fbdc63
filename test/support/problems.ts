import type { TestResponse } from './app.js';

/** Status and verdict of each code, as the contract has them. */
const CONTRACT = {
  'invalid-request': [400, 'never'],
  'malformed-json': [400, 'never'],
  'idempotency-key-missing': [400, 'never'],
  'idempotency-key-invalid': [400, 'never'],
  unauthenticated: [401, 'never'],
  'invalid-signature': [401, 'never'],
  'payment-declined': [402, 'new-key'],
  'refund-declined': [402, 'new-key'],
  'insufficient-scope': [403, 'never'],
  'not-found': [404, 'never'],
  'request-timeout': [408, 'same-key'],
  'insufficient-stock': [409, 'new-key'],
  'deadline-passed': [409, 'new-key'],
  'order-not-cancellable': [409, 'never'],
  'order-not-payable': [409, 'never'],
  'payment-in-progress': [409, 'same-key'],
  'refund-exceeds-payment': [409, 'never'],
  'operation-running': [409, 'same-key'],
  'not-under-review': [409, 'never'],
  'idempotency-request-in-progress': [409, 'same-key'],
  'idempotency-key-sealed': [409, 'new-key'],
  'possible-duplicate': [409, 'never'],
  'idempotency-key-expired': [410, 'never'],
  'precondition-failed': [412, 'never'],
  'payload-too-large': [413, 'never'],
  'unsupported-media-type': [415, 'never'],
  'idempotency-key-reused': [422, 'never'],
  'unknown-product': [422, 'never'],
  'total-mismatch': [422, 'never'],
  'amount-mismatch': [422, 'never'],
  'currency-mismatch': [422, 'never'],
  'total-too-large': [422, 'never'],
  'batch-rolled-back': [424, 'never'],
  'stock-too-large': [422, 'never'],
  'precondition-required': [428, 'never'],
  'rate-limited': [429, 'same-key'],
  'internal-error': [500, 'same-key'],
  'provider-unavailable': [503, 'same-key'],
  'service-unavailable': [503, 'same-key'],
} as const;

export type ContractCode = keyof typeof CONTRACT;

/** Expects a whole problem: status, media type, members, verdict, and Retry-After exactly with the verdict `same-key`. */
export function expectProblem(response: Pick<TestResponse, 'status' | 'headers' | 'text'>, code: ContractCode): void {
  const [status, retry] = CONTRACT[code];
  const body = JSON.parse(response.text || '{}') as Record<string, unknown>;
  expect(body).toMatchObject({ code, status, retry, type: `/problems/${code}` });
  expect([body['title'], body['detail'], body['instance'], body['requestId']].every((text) => typeof text === 'string' && text)).toBe(true);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(response.headers.get('retry-after')).toEqual(retry === 'same-key' ? expect.stringMatching(/^[1-9]\d*$/) : null);
  expect(response.text).not.toMatch(/\bat .*\.(js|ts):\d|SELECT|INSERT|UPDATE|constraint|driver|node_modules/);
}
