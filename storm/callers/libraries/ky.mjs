import ky from 'ky';

export async function usual(url, headers, order) {
  return ky.post(url, { headers, json: order, timeout: 2_000 }).json();
}

export async function right(url, headers, order) {
  const refused = ({ response }) => response?.status >= 400 && response.status < 500 && !response.headers.has('retry-after');
  const retry = { limit: 40, methods: ['post'], shouldRetry: ({ error }) => !refused(error), backoffLimit: 3_000 };
  const hooks = { afterResponse: [async (_request, _options, response) => void (await response.text())] };
  return ky.post(url, { headers, json: order, timeout: 2_000, retry, hooks }).json();
}
