import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../idempotency/index.js';
import { ListQuery, type Page } from '../http/page.js';
import { Api } from '../openapi/api.decorator.js';
import { DeliveriesService } from './deliveries.service.js';
import { ListDeliveries, type WebhookDeliveryView } from './delivery.dto.js';
import {
  CreateWebhookEndpoint,
  ENDPOINTS_PATH,
  UpdateWebhookEndpoint,
  WebhookAction,
  WebhookEndpointView,
  endpointPath,
  type WebhookSecretView,
} from './endpoint.dto.js';
import { EndpointsService } from './endpoints.service.js';
import {
  CHANGE_ENDPOINT,
  CREATE_ENDPOINT,
  DELETE_ENDPOINT,
  GET_ENDPOINT,
  GET_SECRET,
  LIST_DELIVERIES,
  LIST_ENDPOINTS,
  ROTATE_SECRET,
  TEST_ENDPOINT,
} from './webhooks.api.js';

@Controller(ENDPOINTS_PATH)
@ApiTags('Webhooks')
export class WebhookEndpointsController {
  constructor(
    private readonly endpoints: EndpointsService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @Post()
  @NeedsScope('webhooks:write')
  @Idempotent()
  @Api(CREATE_ENDPOINT)
  async create(@Tx() tx: Transaction, @Caller() { accountId }: CallerType, @Body() body: CreateWebhookEndpoint): Promise<Reply> {
    const endpoint = await this.endpoints.create(tx, accountId, body);
    return reply(201, endpoint, { location: endpointPath(endpoint) });
  }

  @Get()
  @NeedsScope('webhooks:read')
  @Api(LIST_ENDPOINTS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListQuery): Promise<Page<WebhookEndpointView>> {
    return this.endpoints.list(accountId, query);
  }

  @Get(':id')
  @NeedsScope('webhooks:read')
  @Api(GET_ENDPOINT)
  async get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<WebhookEndpointView> {
    return WebhookEndpointView.of(await this.endpoints.get(accountId, id));
  }

  @Patch(':id')
  @NeedsScope('webhooks:write')
  @Idempotent()
  @Api(CHANGE_ENDPOINT)
  async change(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() body: UpdateWebhookEndpoint,
  ): Promise<Reply> {
    const endpoint = await this.endpoints.change(tx, accountId, id, body);
    return reply(200, endpoint, { resource: endpointPath(endpoint) });
  }

  @Delete(':id')
  @HttpCode(204)
  @NeedsScope('webhooks:write')
  @Api(DELETE_ENDPOINT)
  remove(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<void> {
    return this.endpoints.remove(accountId, id);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @NeedsScope('webhooks:write')
  @Idempotent()
  @Api(ROTATE_SECRET)
  async rotate(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() _body: WebhookAction,
  ): Promise<Reply> {
    const endpoint = await this.endpoints.rotate(tx, accountId, id);
    return reply(200, endpoint, { resource: endpointPath(endpoint) });
  }

  @Get(':id/secret')
  @NeedsScope('webhooks:write')
  @Api(GET_SECRET)
  secret(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<WebhookSecretView> {
    return this.endpoints.secretOf(accountId, id);
  }

  @Post(':id/test')
  @NeedsScope('webhooks:write')
  @Idempotent()
  @Api(TEST_ENDPOINT)
  async test(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() _body: WebhookAction,
  ): Promise<Reply> {
    return reply(201, await this.deliveries.test(tx, accountId, id), { resource: endpointPath({ id }) });
  }

  @Get(':id/deliveries')
  @NeedsScope('webhooks:read')
  @Api(LIST_DELIVERIES)
  listDeliveries(
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Query() query: ListDeliveries,
  ): Promise<Page<WebhookDeliveryView>> {
    return this.deliveries.list(accountId, id, query);
  }
}
