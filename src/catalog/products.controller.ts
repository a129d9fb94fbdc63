import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, type Repository } from 'typeorm';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { ListQuery, pageOf, type Page } from '../http/page.js';
import { Api } from '../openapi/api.decorator.js';
import { amount, currency, productId } from '../openapi/fields.js';
import { Problem } from '../http/problem.js';
import { PRODUCT_ID, Product } from './product.entity.js';

@ApiSchema({ name: 'Product', description: 'What can be ordered.' })
export class ProductView {
  @ApiProperty(productId('Id of the product.'))
  id: string;

  @ApiProperty({ type: 'string', description: 'What it is called.', example: 'Harbour lamp' })
  name: string;

  @ApiProperty(amount('Price of one piece, in the minor unit.', 2500))
  unitPrice: number;

  @ApiProperty(currency)
  currency: string;

  @ApiProperty({ type: 'integer', format: 'int32', minimum: 0, description: 'How many pieces are left.', example: 10_000 })
  stock: number;

  static of({ id, name, unitPrice, currency, stock }: Product): ProductView {
    return { id, name, unitPrice, currency, stock };
  }
}

const EXAMPLE: ProductView = { id: '123', name: 'Harbour lamp', unitPrice: 2500, currency: 'EUR', stock: 10_000 };

@Controller('v1/products')
@NeedsScope('orders:read')
export class ProductsController {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  @Get()
  @Api({
    id: 'listProducts',
    summary: 'List products',
    description: 'The account’s catalogue, by product id from the last to the first. All prices are in one currency.',
    answers: [{ status: 200, description: 'A page of products.', view: ProductView, list: true, example: EXAMPLE }],
  })
  async list(@Caller() { accountId }: CallerType, @Query() query: ListQuery): Promise<Page<ProductView>> {
    const before = query.after((text) => text);
    const rows = await this.products.find({
      where: { accountId, ...(before !== null && { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: query.limit + 1,
    });
    return pageOf(rows, query.limit, (product) => product.id, ProductView.of);
  }

  @Get(':id')
  @Api({
    id: 'getProduct',
    summary: 'Read a product',
    description: 'Its present price and stock. An order has the price that is valid when it is placed.',
    params: { id: productId('Id of the product.') },
    answers: [{ status: 200, description: 'The product.', view: ProductView, example: EXAMPLE }],
    problems: [noSuchProduct()],
  })
  async get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<ProductView> {
    const product = PRODUCT_ID.test(id) ? await this.products.findOneBy({ accountId, id }) : null;
    if (!product) throw noSuchProduct();
    return ProductView.of(product);
  }
}

function noSuchProduct(): Problem {
  return new Problem('not-found', 'This account has no such product.');
}
