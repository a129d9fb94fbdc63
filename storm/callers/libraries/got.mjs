import { got } from 'got';

export async function usual(url, headers, order) {
  return got.post(url, { headers, json: order, timeout: { request: 2_000 } }).json();
}

export async function right(url, headers, order) {
  const refused = ({ name, response }) => name === 'HTTPError' && response.statusCode < 500 && !response.headers['retry-after'];
  const pause = ({ attemptCount, error }) => (attemptCount > 40 || refused(error) ? 0 : Math.min(100 * 2 ** attemptCount, 3_000));
  return got.post(url, { headers, json: order, timeout: { request: 2_000 }, retry: { calculateDelay: pause } }).json();
}
