import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeaders, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Webhook } from 'standardwebhooks';
import { Public } from '../accounts/access.guard.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { rawBody } from '../http/body.js';
import { Api } from '../openapi/api.decorator.js';
import { hasLength } from '../openapi/field.decorator.js';
import { MAX_TEXT } from '../openapi/fields.js';
import { Problem } from '../http/problem.js';
import { providerEvent } from './provider-event.dto.js';
import { ProviderEventsService } from './provider-events.service.js';
import { EVENT_BODY, RECEIVE_EVENT, WEBHOOK_HEADERS } from './provider-webhooks.api.js';

/** Where the provider sends its events, signed as Standard Webhooks describe. */
@Controller('v1/provider/webhooks')
@Public()
@ApiTags('Provider')
export class ProviderWebhooksController {
  constructor(
    private readonly events: ProviderEventsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(204)
  @ApiHeaders(WEBHOOK_HEADERS)
  @ApiBody(EVENT_BODY)
  @Api(RECEIVE_EVENT)
  async receive(@Req() request: FastifyRequest): Promise<void> {
    const id = this.verify(request);
    const { success, data: event } = providerEvent.safeParse(request.body);
    if (!success) throw new Problem('invalid-request', 'The event has no type, or its data have another form.');
    await this.events.receive(id, event.type, event.data?.reference ?? null);
  }

  /** The event's id. The library compares in constant time and refuses times more than five minutes away. */
  private verify(request: FastifyRequest): string {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
    const secret = this.config.providerWebhookSecret;
    try {
      if (!secret || typeof id !== 'string' || !hasLength(id, 1, MAX_TEXT)) throw new Error('no secret or no id');
      new Webhook(secret).verify(rawBody(request), {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': String(signature),
      });
      return id;
    } catch (error) {
      throw new Problem('invalid-signature', 'The webhook is not signed with the shared secret, or too long ago.', { cause: error });
    }
  }
}
