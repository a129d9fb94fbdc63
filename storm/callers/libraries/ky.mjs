import ky from 'ky';

export async function usual(url, headers, order) {
  return ky.post(url, { headers, json: order, timeout: 2_000 }).json();
}

export async function right(url, headers, order) {
  const shouldRetry = ({ error: { response } }) => !response || response.status >= 500 || response.headers.has('retry-after');
  const retry = { limit: 40, methods: ['post'], shouldRetry, backoffLimit: 3_000 };
  return ky.post(url, { headers, json: order, timeout: 2_000, retry }).json();
}
