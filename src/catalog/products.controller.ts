import { Controller, Get, Param, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, type Repository } from 'typeorm';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { ListQuery, pageOf, type Page } from '../list.js';
import { Problem } from '../problem.js';
import { PRODUCT_ID, Product } from './product.entity.js';

/** A product as clients see it. */
export class ProductView {
  id: string;
  name: string;
  unitPrice: number;
  currency: string;
  stock: number;

  static of({ id, name, unitPrice, currency, stock }: Product): ProductView {
    return { id, name, unitPrice, currency, stock };
  }
}

@Controller('v1/products')
@NeedsScope('orders:read')
export class ProductsController {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  /** The account's catalogue, by product id from the last to the first. */
  @Get()
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
  async get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<ProductView> {
    const product = PRODUCT_ID.test(id) ? await this.products.findOneBy({ accountId, id }) : null;
    if (!product) throw new Problem('not-found', 'This account has no such product.');
    return ProductView.of(product);
  }
}
