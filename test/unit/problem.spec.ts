import { PROBLEMS, isProblemCode, type ProblemCode } from '../../src/http/problem-table.js';
import { Problem, renderProblem } from '../../src/http/problem.js';

const entries = Object.entries(PROBLEMS) as [ProblemCode, (typeof PROBLEMS)[ProblemCode]][];
/** What may become another answer under the same key without the client changing anything. */
const PASSING = new Set<ProblemCode>([
  'idempotency-request-in-progress',
  'payment-in-progress',
  'operation-running',
  'request-timeout',
  'rate-limited',
  'internal-error',
  'provider-unavailable',
  'service-unavailable',
]);
/** What an execution can come to, and what is stored therefore. All other problems leave the key unused, or as it was. */
const OUTCOMES = new Set<ProblemCode>([
  'payment-declined',
  'refund-declined',
  'not-found',
  'insufficient-stock',
  'deadline-passed',
  'order-not-cancellable',
  'order-not-payable',
  'refund-exceeds-payment',
  'not-under-review',
  'possible-duplicate',
  'webhook-endpoint-limit',
  'secret-rotated-recently',
  'precondition-failed',
  'unknown-product',
  'total-mismatch',
  'amount-mismatch',
  'currency-mismatch',
  'total-too-large',
  'stock-too-large',
]);
/** Outcomes of an execution that another try of the same intent, under a new key, may turn. */
const NEW_KEY_STATUSES = new Set([402, 409, 422, 424]);

describe.each(entries)('the problem %s', (code, { status, title, retry, meaning, advice }) => {
  it('has a slug, a status of its kind and words for people', () => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    for (const text of [meaning, advice]) expect(text).toMatch(/^[A-Z`].*\.$/);
  });

  it('has the verdict that its status allows', () => {
    expect(retry === 'same-key').toBe(PASSING.has(code));
    expect(retry !== 'new-key' || NEW_KEY_STATUSES.has(status)).toBe(true);
  });

  it('is stored exactly when it is the outcome of an execution', () => {
    expect(new Problem(code, 'why').final).toBe(OUTCOMES.has(code));
  });

  it('is rendered whole, with Retry-After exactly for same-key', () => {
    const rendered = renderProblem(
      new Problem(code, 'why', { errors: [{ pointer: '/a', detail: 'b' }], members: { more: 1 }, link: '/x' }),
      {
        instance: '/v1/orders',
        requestId: 'r1',
        operationId: 'op_1',
      },
    );
    expect(rendered.status).toBe(status);
    expect(rendered.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(rendered.headers['retry-after']).toEqual(retry === 'same-key' ? expect.stringMatching(/^[1-9]\d*$/) : undefined);
    expect(rendered.headers['link']).toBe('</x>; rel="related"');
    expect(JSON.parse(rendered.body)).toEqual({
      type: `/problems/${code}`,
      title,
      status,
      detail: 'why',
      instance: '/v1/orders',
      code,
      retry,
      requestId: 'r1',
      operationId: 'op_1',
      errors: [{ pointer: '/a', detail: 'b' }],
      more: 1,
    });
  });
});

it('nothing but its own codes is a code', () => {
  for (const other of ['toString', '__proto__', 'constructor', '', undefined, 1, 'not found']) expect(isProblemCode(other)).toBe(false);
  expect(entries.every(([code]) => isProblemCode(code))).toBe(true);
});
