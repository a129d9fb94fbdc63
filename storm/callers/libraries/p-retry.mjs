import pRetry from 'p-retry';

export async function usual(url, headers, order) {
  const isTheirs = ({ response }) => !(response?.status < 500);
  return pRetry(() => post(url, headers, order), { shouldRetry: ({ error }) => isTheirs(error) });
}

export async function right(url, headers, order) {
  const refused = ({ response: { status, headers } = {} }) => status >= 400 && status < 500 && !headers.has('retry-after');
  const again = { retries: 40, minTimeout: 200, maxTimeout: 3_000, shouldRetry: ({ error }) => !refused(error) };
  return pRetry(() => post(url, headers, order), again);
}

async function post(url, headers, order) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(order),
    signal: AbortSignal.timeout(2_000),
  });
  if (response.ok) return response.json();
  const { status, statusText } = response;
  throw Object.assign(new Error(statusText), { response: { status, headers: response.headers, body: await response.text() } });
}
