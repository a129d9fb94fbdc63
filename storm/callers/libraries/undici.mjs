import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, RetryAgent, request } from 'undici';

const agent = new Agent({ headersTimeout: 2_000, bodyTimeout: 2_000 });

export async function usual(url, headers, order) {
  return post(new RetryAgent(agent), url, headers, order);
}

// RetryAgent gives the answer on before it has come whole, and asks for the rest of a broken one by Range: the tries are around both.
export async function right(url, headers, order, tries = 1) {
  const refused = ({ response: { statusCode, headers } = {} }) => statusCode >= 400 && statusCode < 500 && !headers['retry-after'];
  const pause = (cause) => (tries > 40 || refused(cause) ? Promise.reject(cause) : sleep(Math.min(100 * 2 ** tries, 3_000)));
  const again = (cause) => pause(cause).then(() => right(url, headers, order, tries + 1));
  return post(agent, url, headers, order).catch(again);
}

async function post(dispatcher, url, headers, order) {
  const body = JSON.stringify(order);
  const response = await request(url, { dispatcher, method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
  const answer = await response.body.text();
  if (response.statusCode >= 400) throw Object.assign(new Error(answer), { response: { ...response, body: answer } });
  return JSON.parse(answer);
}
