import { etagOf, versionStale } from '../http/etag.js';
import { Problem, noSuch } from '../http/problem.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { created, having, listOf, ok, readOf, type Shown } from '../openapi/api.builders.js';
import { productId } from '../openapi/fields.js';
import { insufficientStock } from './catalog.service.js';
import { ProductView, StockChangeView, productPath } from './product.dto.js';

const PRODUCT: Shown = {
  view: ProductView,
  // The stock is no part of what the ETag counts, so each answer says by itself where it has one.
  etag: false,
  example: { id: '123', name: 'Harbour lamp', unitPrice: 2500, currency: 'EUR', stock: 10_000, version: 1 },
};

const params = { id: productId('Id of the product.') };

/** An answer with its ETag. */
function tagged<Answer extends ReturnType<typeof ok>>(answer: Answer, version: number): Answer {
  return { ...answer, headers: { ...answer.headers, ETag: etagOf(version) } };
}

export const LIST_PRODUCTS = listOf(PRODUCT, {
  id: 'listProducts',
  things: 'products',
  description: 'The account’s catalogue, by product id from the last to the first. All prices are in one currency.',
});

const GET = readOf(PRODUCT, {
  id: 'getProduct',
  thing: 'product',
  description:
    'Its present price and stock. An order has the price that is valid when it is placed. The ETag is that of name and price; ' +
    'the stock is no part of it, so the answer is never 304.',
  params,
  problems: [noSuch('product')],
});
export const GET_PRODUCT: ApiOptions = { ...GET, answers: GET.answers.map((answer) => tagged(answer, 1)) };

export const PUT_PRODUCT: ApiOptions = {
  id: 'putProduct',
  summary: 'Make or replace a product',
  description:
    'The product is as the body says from then on, for every new order on every replica; orders keep the name and price that they ' +
    'were placed with. A new product has stock 0, one that was deleted its old stock. Sent again it changes nothing and has the same ' +
    'ETag, so it takes no key. `If-None-Match: *` makes only, `If-Match` replaces only; with neither, the last one wins.',
  effects: 'the product as the body says',
  params,
  requests: { 'A lamp': { name: 'Harbour lamp', unitPrice: 2500 }, 'A higher price': { name: 'Harbour lamp', unitPrice: 2600 } },
  answers: [
    tagged(ok(having(PRODUCT, { version: 2 }), 'The product is as asked: it was replaced, or was so already.'), 2),
    tagged(created(having(PRODUCT, { stock: 0 }), 'The product is made, or made again.', productPath({ id: '123' })), 1),
  ],
  problems: [versionStale(3)],
};

export const DELETE_PRODUCT: ApiOptions = {
  id: 'deleteProduct',
  summary: 'Delete a product',
  description:
    'It can no more be ordered (422 `unknown-product`) nor found; orders for it stay as they are. Sent again it answers the same. ' +
    'A PUT brings it back, with its stock. `If-Match` deletes only that version.',
  effects: 'the product is deleted',
  params,
  answers: [{ status: 204, description: 'The product is deleted, or was so already.' }],
  problems: [noSuch('product'), versionStale(3)],
};

export const CHANGE_STOCK: ApiOptions = {
  id: 'changeStock',
  summary: 'Change a stock',
  description:
    'Pieces come or go other than by orders: a delivery, a loss. The stock never becomes negative, however many change it at once.',
  effects: 'one change of the stock',
  params,
  requests: { 'A delivery': { change: 50, reason: 'delivery 4711' }, 'A loss': { change: -2 } },
  answers: [
    { status: 201, description: 'The stock is changed.', view: StockChangeView, example: { productId: '123', change: 50, stock: 10_050 } },
  ],
  problems: [
    noSuch('product'),
    insufficientStock('Product 123: 50 to be taken, 12 in stock.'),
    new Problem('stock-too-large', 'The stock would be 1000000001.'),
  ],
};
