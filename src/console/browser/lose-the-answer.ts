import { announce } from './announce.js';
import { freshKey, sendAndLose, type Answer, type Request } from './api.js';
import { button, el, enable } from './dom.js';
import { finalOf } from './final.js';
import { countOrders, newestOrder, orderOf } from './shop.js';
import { TrialView, type Trial } from './trial.js';

/** An order that was sent, and of which nobody knows whether it was placed. */
interface Unknown {
  request: Request;
  /** The newest order before it. */
  after: string | null;
  attempts: number;
}

/** An order whose answer is lost: nobody knows whether it was placed, and the retry is safe all the same. */
export function loseTheAnswer(productId: () => string): Trial {
  const view = new TrialView();
  let unknown: Unknown | undefined;
  const lose = button('Place an order and lose the answer', () =>
    view.during(async () => {
      unknown = await placeAndLose(view, productId());
      enable(retry, true);
      announce('The answer is lost. Retry with the same key.');
    }),
  );
  const retry = button('Retry with the same key', () => unknown && view.during(retryOf(view, unknown)));
  enable(retry, false);
  return {
    title: 'Lose the answer',
    text: 'The order is sent, and the connection is cut before the answer comes. Whether it was placed, the client can’t know. It sends the same again.',
    controls: el('div', { class: 'buttons' }, lose, retry),
    view,
  };
}

async function placeAndLose(view: TrialView, productId: string): Promise<Unknown> {
  const key = freshKey();
  const after = await newestOrder();
  const request: Request = { method: 'POST', key, body: orderOf(productId, key) };
  view.begin(key);
  const tell = view.list('/v1/orders', request);
  await sendAndLose('/v1/orders', request);
  tell({ text: 'all of it was sent, then the connection was cut: no answer', tone: 'warn' });
  return { request, after, attempts: 1 };
}

const retryOf = (view: TrialView, unknown: Unknown) => async (): Promise<void> => {
  const { request, after } = unknown;
  const again = (): Promise<Answer> => {
    unknown.attempts += 1;
    return view.send('/v1/orders', { ...request, headers: { 'Retry-Attempt': String(unknown.attempts), 'Retry-Reason': 'connection' } });
  };
  const answer = await finalOf(await again(), again);
  view.show({ count: await countOrders(String(request.key), after), noun: ['order', 'orders'], from: 'GET /v1/orders' });
  view.link(answer.headers.get('operation-id'));
};
