import { Agent, RetryAgent, request } from 'undici';

const agent = new Agent({ headersTimeout: 2_000 });

export async function usual(url, headers, order) {
  return send(new RetryAgent(agent), url, headers, order);
}

export async function right(url, headers, order) {
  const again = ({ statusCode, headers }) => !statusCode || statusCode >= 500 || headers['retry-after'] !== undefined;
  const retry = (error, { state }, done) =>
    state.counter < 40 && again(error) ? setTimeout(() => done(), Math.min(100 * 2 ** state.counter, 3_000)) : done(error);
  return send(new RetryAgent(agent, { retry, throwOnError: false }), url, headers, order);
}

async function send(dispatcher, url, headers, order) {
  const body = JSON.stringify(order);
  const response = await request(url, { dispatcher, method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
  const answer = await response.body.text();
  if (response.statusCode >= 400) throw Object.assign(new Error(answer), { response: { status: response.statusCode, body: answer } });
  return JSON.parse(answer);
}
