import { announce } from './announce.js';
import { freshKey, type Answer, type Request } from './api.js';
import { button, el } from './dom.js';
import { finalOf } from './final.js';
import { money } from './format.js';
import { orderOf, paymentsOf, type Order } from './shop.js';
import { TrialView, type Trial } from './trial.js';

/** The sandbox charges it at once, and never answers the first time. */
const HANGS = 'tok_hang_after';

/** A payment whose provider charges and then says nothing: 202, and later its one outcome. */
export function hangingProvider(productId: () => string): Trial {
  const view = new TrialView();
  const pay = button('Pay an order with a provider that hangs', () =>
    view.during(async () => {
      const [orderKey, key] = [freshKey(), freshKey()];
      view.begin(key);
      const place = (): Promise<Answer> => view.send('/v1/orders', { method: 'POST', key: orderKey, body: orderOf(productId(), orderKey) });
      const { id: orderId, total: amount, currency } = (await finalOf(await place(), place)).body as Order;
      const request: Request = { method: 'POST', key, body: { orderId, amount, currency, source: HANGS } };
      announce('The provider is asked. It will not answer, so this takes as long as the service waits for it.');
      const send = (attempt: number): Promise<Answer> =>
        view.send(
          '/v1/payments',
          attempt === 1 ? request : { ...request, headers: { 'Retry-Attempt': String(attempt), 'Retry-Reason': 'in-progress' } },
        );
      const answer = await finalOf(await send(1), send);
      const payments = await paymentsOf(orderId);
      const charged = payments.filter(({ status }) => status === 'succeeded');
      view.show({
        count: charged.length,
        noun: ['payment that succeeded', 'payments that succeeded'],
        from: 'GET /v1/payments',
        detail: `${money(
          charged.reduce((sum, { amount }) => sum + amount, 0),
          currency,
        )} for an order of ${money(amount, currency)}`,
      });
      view.link(answer.headers.get('operation-id'));
    }),
  );
  return {
    title: 'A provider that hangs',
    text: `An order is placed and paid with the sandbox’s ${HANGS}: the provider charges and then never answers. The API says 202 when it stops waiting, finds out what became of it, and the same key gets the outcome.`,
    controls: el('div', { class: 'buttons' }, pay),
    view,
  };
}
