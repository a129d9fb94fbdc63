import { freshKey, type Answer, type Request } from './api.js';
import { button, el } from './dom.js';
import { finalOf } from './final.js';
import { countOrders, newestOrder, orderOf } from './shop.js';
import { TrialView, type Trial } from './trial.js';

/** Two equal requests at once: one of them executes, and both get its answer. */
export function doubleClick(productId: () => string): Trial {
  const view = new TrialView();
  const click = button('Send the order twice at once', () =>
    view.during(async () => {
      const key = freshKey();
      const after = await newestOrder();
      const request: Request = { method: 'POST', key, body: orderOf(productId(), key) };
      view.begin(key);
      const again = (attempt: number): Promise<Answer> =>
        view.send('/v1/orders', { ...request, headers: { 'Retry-Attempt': String(attempt), 'Retry-Reason': 'in-progress' } });
      const both = await Promise.all([view.send('/v1/orders', request), view.send('/v1/orders', request)]);
      const final = await Promise.all(both.map((answer) => finalOf(answer, again)));
      const ids = new Set(final.map(({ body }) => (body as { id: string }).id));
      view.show({
        count: await countOrders(key, after),
        noun: ['order', 'orders'],
        from: 'GET /v1/orders',
        detail: ids.size === 1 ? 'both requests got the same one' : 'the requests got different ones',
      });
      view.link(final[0]?.headers.get('operation-id') ?? null);
    }),
  );
  return {
    title: 'Double-click',
    text: 'Somebody presses the button twice, and two equal requests with one key arrive together. One executes; the other gets the stored answer, or 409 and then the stored answer.',
    controls: el('div', { class: 'buttons' }, click),
    view,
  };
}
