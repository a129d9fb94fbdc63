import pRetry, { AbortError } from 'p-retry';

export async function usual(url, headers, order) {
  return pRetry(async () => {
    const response = await send(url, headers, order);
    if (response.status >= 400 && response.status < 500) throw new AbortError(await errorOf(response));
    if (!response.ok) throw await errorOf(response);
    return response.json();
  });
}

export async function right(url, headers, order) {
  const refused = ({ status, headers }) => status >= 400 && status < 500 && !headers.has('retry-after');
  const attempt = async () => {
    const response = await send(url, headers, order);
    if (response.ok) return response.json();
    throw refused(response) ? new AbortError(await errorOf(response)) : await errorOf(response);
  };
  return pRetry(attempt, { retries: 40, minTimeout: 200, maxTimeout: 3_000 });
}

function send(url, headers, order) {
  const body = JSON.stringify(order);
  return fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(2_000),
  });
}

async function errorOf(response) {
  return Object.assign(new Error(response.statusText), { response: { status: response.status, body: await response.text() } });
}
