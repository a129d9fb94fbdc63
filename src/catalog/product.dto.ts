import { ApiSchema } from '@nestjs/swagger';
import { NotEquals } from 'class-validator';
import { AnswerField, RequestField, type IntegerField, type TextField } from '../openapi/field.decorator.js';
import { MAX_TEXT, amount, currency, productId, version } from '../openapi/fields.js';
import type { Product } from './product.entity.js';

/** Where products are found. */
export const PRODUCTS_PATH = '/v1/products';

/** Where a product is found. */
export function productPath(product: { id: string }): string {
  return `${PRODUCTS_PATH}/${product.id}`;
}

/** What an id is refused by. */
export const PRODUCT_ID_RULE = productId('').refusal;

const name: TextField = { type: 'string', minLength: 1, maxLength: 100, description: 'What it is called.', example: 'Harbour lamp' };
const unitPrice = amount('Price of one piece, in the minor unit of the account’s currency.', 2500);
const change: IntegerField = {
  type: 'integer',
  format: 'int32',
  minimum: -1_000_000,
  maximum: 1_000_000,
  description: 'How many pieces come, or below zero, go. Not 0.',
  example: 50,
};
const stock: IntegerField = { type: 'integer', format: 'int32', minimum: 0, description: 'How many pieces are left.', example: 10_000 };

@ApiSchema({ description: 'A product as it shall be; in the account’s currency.' })
export class PutProduct {
  @RequestField(name)
  name: string;

  @RequestField(unitPrice)
  unitPrice: number;
}

@ApiSchema({ description: 'What comes to a stock or goes from it, other than by orders.' })
export class ChangeStock {
  @NotEquals(0, { message: 'must not be 0' })
  @RequestField(change)
  change: number;

  @RequestField({ type: 'string', maxLength: MAX_TEXT, required: false, nullable: true, description: 'Why.', example: 'delivery 4711' })
  reason?: string | null;
}

@ApiSchema({ name: 'StockChange', description: 'What became of a stock.' })
export class StockChangeView {
  @AnswerField(productId('The product.'))
  productId: string;

  @AnswerField(change)
  change: number;

  @AnswerField({ ...stock, description: 'How many pieces there were right after it.' })
  stock: number;
}

@ApiSchema({ name: 'Product', description: 'What can be ordered.' })
export class ProductView {
  @AnswerField(productId('Id of the product.'))
  id: string;

  @AnswerField(name)
  name: string;

  @AnswerField(unitPrice)
  unitPrice: number;

  @AnswerField(currency)
  currency: string;

  @AnswerField(stock)
  stock: number;

  @AnswerField({ ...version, description: 'Grows with every change but those of the stock. In quotes it is the ETag.' })
  version: number;

  static of({ id, name, unitPrice, currency, stock, version: counted }: Product): ProductView {
    return { id, name, unitPrice, currency, stock, version: counted };
  }
}
