import { noSuch } from '../http/problem.js';
import { listOf, readOf, type Shown } from '../openapi/api.builders.js';
import { productId } from '../openapi/fields.js';
import { ProductView } from './product.dto.js';

const PRODUCT: Shown = {
  view: ProductView,
  example: { id: '123', name: 'Harbour lamp', unitPrice: 2500, currency: 'EUR', stock: 10_000 },
};

export const LIST_PRODUCTS = listOf(PRODUCT, {
  id: 'listProducts',
  things: 'products',
  description: 'The account’s catalogue, by product id from the last to the first. All prices are in one currency.',
});

export const GET_PRODUCT = readOf(PRODUCT, {
  id: 'getProduct',
  thing: 'product',
  description: 'Its present price and stock. An order has the price that is valid when it is placed.',
  params: { id: productId('Id of the product.') },
  problems: [noSuch('product')],
});
