import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBody, ApiHeaders, ApiTags } from '@nestjs/swagger';
import { Public } from '../accounts/access.guard.js';
import { ReadsOwnBody } from '../http/body.js';
import { Api } from '../openapi/api.decorator.js';
import { ProviderEventsService } from './provider-events.service.js';
import { EVENT_BODY, RECEIVE_EVENT, WEBHOOK_HEADERS } from './provider-webhooks.api.js';
import { SignatureGuard } from './signature.guard.js';
import type { EventHint } from './provider/signed-event.js';

/** Where the provider sends its signed events. Whatever is signed is taken: a provider sends again what is refused, and at last nothing more. */
@Controller('v1/provider/webhooks')
@Public()
@ApiTags('Provider')
export class ProviderWebhooksController {
  constructor(private readonly events: ProviderEventsService) {}

  @Post()
  @HttpCode(204)
  @ReadsOwnBody()
  @UseGuards(SignatureGuard)
  @ApiHeaders(WEBHOOK_HEADERS)
  @ApiBody(EVENT_BODY)
  @Api(RECEIVE_EVENT)
  async receive(@Body() event: EventHint): Promise<void> {
    await this.events.receive(event);
  }
}
