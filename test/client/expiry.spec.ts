import { Windows, toldExpiry } from '../../client/src/expiry.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-01-15T09:30:00Z');
const at = (offsetMs: number): string => new Date(NOW + offsetMs).toUTCString();

describe('the window of a request', () => {
  const windows = new Windows(10 * HOUR);
  windows.learn({
    operations: [
      { method: 'POST', path: '/v1/orders', window: '2h' },
      { method: 'POST', path: '/v1/orders/{id}/cancel', window: '3d' },
      { method: 'POST', path: '/v1/a.b', window: '500ms' },
      { method: 'GET', path: '/v1/orders', window: null },
    ],
  });

  it.each([
    ['POST', '/v1/orders', 2 * HOUR],
    ['POST', '/v1/orders?dry=true', 2 * HOUR],
    ['POST', '/v1/orders/ord_1/cancel', 72 * HOUR],
    ['POST', '/v1/a.b', 500],
    ['POST', '/v1/aXb', 10 * HOUR],
    ['POST', '/v1/orders/ord_1', 10 * HOUR],
    ['POST', '/v1/orders/ord_1/lines/cancel', 10 * HOUR],
    ['PATCH', '/v1/orders', 10 * HOUR],
  ])('%s %s is the one of the policy where that knows it: %i ms, of which nine tenths are used', (method, path, ms) => {
    expect(windows.expiryOf(method, path, NOW)).toBe(NOW + ms * 0.9);
  });

  it('is not learned from anything else', () => {
    expect(() => windows.learn({ title: 'Not found' })).toThrow('the policy of keys has no operations');
  });
});

describe('the time that an answer tells', () => {
  it.each([
    ['by our clock', { 'idempotency-expires': at(HOUR) }, 0.9 * HOUR],
    ['by the server’s clock, where it is told', { 'idempotency-expires': at(HOUR), date: at(-HOUR) }, 1.8 * HOUR],
  ])('counts %s', (_name, headers, ms) => {
    expect(toldExpiry({ headers }, NOW)).toBe(NOW + ms);
  });

  it.each([{}, { 'idempotency-expires': 'never' }])('is none in %j', (headers) => {
    expect(toldExpiry({ headers: headers as Record<string, string> }, NOW)).toBeUndefined();
  });
});
