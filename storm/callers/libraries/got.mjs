import { got } from 'got';

export async function usual(url, headers, order) {
  return got.post(url, { headers, json: order, timeout: { request: 2_000 } }).json();
}

export async function right(url, headers, order) {
  const again = ({ response }) => !response || response.statusCode >= 500 || response.headers['retry-after'] !== undefined;
  const calculateDelay = ({ attemptCount, error }) => (attemptCount < 40 && again(error) ? Math.min(100 * 2 ** attemptCount, 3_000) : 0);
  return got.post(url, { headers, json: order, timeout: { request: 2_000 }, retry: { calculateDelay } }).json();
}
