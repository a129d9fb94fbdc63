import { Controller, Get, Param, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { ListQuery, type Page } from '../http/page.js';
import { noSuch } from '../http/problem.js';
import { pageBy, readAs } from '../http/reads.js';
import { Api } from '../openapi/api.decorator.js';
import { PRODUCT_ID } from '../openapi/fields.js';
import { ProductView } from './product.dto.js';
import { Product } from './product.entity.js';
import { GET_PRODUCT, LIST_PRODUCTS } from './products.api.js';

@Controller('v1/products')
@NeedsScope('orders:read')
export class ProductsController {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  @Get()
  @Api(LIST_PRODUCTS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListQuery): Promise<Page<ProductView>> {
    return pageBy(this.products, null, query, { accountId }, ProductView.of);
  }

  @Get(':id')
  @Api(GET_PRODUCT)
  async get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<ProductView> {
    const product = PRODUCT_ID.test(id) ? await readAs(this.products, accountId, (own) => own.findOneBy({ accountId, id })) : null;
    if (!product) throw noSuch('product');
    return ProductView.of(product);
  }
}
