import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { etagOf } from '../http/etag.js';
import { ListQuery, type Page } from '../http/page.js';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../idempotency/index.js';
import { Api } from '../openapi/api.decorator.js';
import { ChangeStock, PRODUCTS_PATH, ProductView, PutProduct, productPath } from './product.dto.js';
import { CHANGE_STOCK, DELETE_PRODUCT, GET_PRODUCT, LIST_PRODUCTS, PUT_PRODUCT } from './products.api.js';
import { ProductsService } from './products.service.js';

@Controller(PRODUCTS_PATH)
export class ProductsController {
  constructor(private readonly products: ProductsService) {}

  @Get()
  @NeedsScope('orders:read')
  @Api(LIST_PRODUCTS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListQuery): Promise<Page<ProductView>> {
    return this.products.list(accountId, query);
  }

  /** Knows no 304: the stock is no part of what the ETag counts, and may have changed. */
  @Get(':id')
  @NeedsScope('orders:read')
  @Api(GET_PRODUCT)
  async get(
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Res({ passthrough: true }) response: FastifyReply,
  ): Promise<ProductView> {
    const product = await this.products.get({ accountId, id });
    void response.header('etag', etagOf(product.version));
    return ProductView.of(product);
  }

  @Put(':id')
  @NeedsScope('catalog:write')
  @Api(PUT_PRODUCT)
  async put(
    @Caller() { accountId, currency }: CallerType,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Body() body: PutProduct,
    @Res({ passthrough: true }) response: FastifyReply,
  ): Promise<ProductView> {
    const { product, made } = await this.products.put({ accountId, id }, currency, body, { ifMatch, ifNoneMatch });
    void response.header('etag', etagOf(product.version));
    if (made) void response.status(201).header('location', productPath(product));
    return ProductView.of(product);
  }

  @Delete(':id')
  @HttpCode(204)
  @NeedsScope('catalog:write')
  @Api(DELETE_PRODUCT)
  delete(
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
  ): Promise<void> {
    return this.products.remove({ accountId, id }, { ifMatch, ifNoneMatch });
  }

  @Post(':id/stock-changes')
  @NeedsScope('catalog:write')
  @Idempotent()
  @Api(CHANGE_STOCK)
  async changeStock(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() body: ChangeStock,
  ): Promise<Reply> {
    return reply(201, await this.products.changeStock(tx, { accountId, id }, body), { resource: productPath({ id }) });
  }
}
