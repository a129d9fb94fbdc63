import axios from 'axios';
import axiosRetry from 'axios-retry';

export async function usual(url, headers, order) {
  const client = axios.create({ headers, timeout: 2_000 });
  axiosRetry(client, { retryDelay: axiosRetry.exponentialDelay });
  return (await client.post(url, order)).data;
}

export async function right(url, headers, order) {
  const client = axios.create({ headers, timeout: 2_000 });
  const refused = ({ code, response }) => code === 'ERR_BAD_REQUEST' && !response.headers['retry-after'];
  const pause = (tries, error) => Math.min(axiosRetry.exponentialDelay(tries, error), 3_000);
  axiosRetry(client, { retries: 40, retryCondition: (error) => !refused(error), retryDelay: pause, shouldResetTimeout: true });
  return (await client.post(url, order)).data;
}
