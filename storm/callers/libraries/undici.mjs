import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, RetryAgent, request } from 'undici';

const agent = new Agent({ headersTimeout: 2_000, bodyTimeout: 2_000 });

export async function usual(url, headers, order) {
  return send(new RetryAgent(agent), url, headers, order);
}

// RetryAgent gives the answer on before it has come whole, and asks for the rest of a broken one by Range: the loop is around both.
export async function right(url, headers, order) {
  const refused = ({ response: { statusCode, headers } = {} }) => statusCode >= 400 && statusCode < 500 && !headers['retry-after'];
  for (let tries = 1; ; tries += 1) {
    try {
      return await send(agent, url, headers, order);
    } catch (error) {
      if (tries > 40 || refused(error)) throw error;
      await sleep(Math.min(100 * 2 ** tries, 3_000));
    }
  }
}

async function send(dispatcher, url, headers, order) {
  const body = JSON.stringify(order);
  const response = await request(url, { dispatcher, method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
  const answer = await response.body.text();
  if (response.statusCode >= 400) throw Object.assign(new Error(answer), { response: { ...response, body: answer } });
  return JSON.parse(answer);
}
