import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../idempotency/index.js';
import { Api } from '../openapi/api.decorator.js';
import { DeliveriesService } from './deliveries.service.js';
import { WebhookAction, endpointPath } from './endpoint.dto.js';
import { REDELIVER } from './webhooks.api.js';

@Controller('v1/deliveries')
@ApiTags('Webhooks')
export class WebhookDeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Post(':id/redeliver')
  @HttpCode(200)
  @NeedsScope('webhooks:write')
  @Idempotent()
  @Api(REDELIVER)
  async redeliver(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Body() _body: WebhookAction,
  ): Promise<Reply> {
    const delivery = await this.deliveries.redeliver(tx, accountId, id);
    return reply(200, delivery, { resource: endpointPath({ id: delivery.endpointId }) });
  }
}
