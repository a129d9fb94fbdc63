import { ApiSchema } from '@nestjs/swagger';
import { AnswerField } from '../openapi/field.decorator.js';
import { amount, currency, productId } from '../openapi/fields.js';
import type { Product } from './product.entity.js';

@ApiSchema({ name: 'Product', description: 'What can be ordered.' })
export class ProductView {
  @AnswerField(productId('Id of the product.'))
  id: string;

  @AnswerField({ type: 'string', description: 'What it is called.', example: 'Harbour lamp' })
  name: string;

  @AnswerField(amount('Price of one piece, in the minor unit.', 2500))
  unitPrice: number;

  @AnswerField(currency)
  currency: string;

  @AnswerField({ type: 'integer', format: 'int32', minimum: 0, description: 'How many pieces are left.', example: 10_000 })
  stock: number;

  static of({ id, name, unitPrice, currency, stock }: Product): ProductView {
    return { id, name, unitPrice, currency, stock };
  }
}
