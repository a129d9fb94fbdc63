import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBody, ApiHeaders, ApiTags } from '@nestjs/swagger';
import { Public } from '../accounts/access.guard.js';
import { RawBody } from '../http/body.js';
import { Problem } from '../http/problem.js';
import { Api } from '../openapi/api.decorator.js';
import { ProviderEventsService } from './provider-events.service.js';
import { EVENT_BODY, RECEIVE_EVENT, WEBHOOK_HEADERS } from './provider-webhooks.api.js';
import { SIGNED_EVENTS, type EventHint, type SignedEvents } from './provider/signed-event.js';

/** Where the provider sends its signed events. Whatever is signed is taken: a provider sends again what is refused, and at last nothing more. */
@Controller('v1/provider/webhooks')
@Public()
@ApiTags('Provider')
export class ProviderWebhooksController {
  constructor(
    private readonly events: ProviderEventsService,
    @Inject(SIGNED_EVENTS) private readonly signed: SignedEvents,
  ) {}

  @Post()
  @HttpCode(204)
  @RawBody()
  @ApiHeaders(WEBHOOK_HEADERS)
  @ApiBody(EVENT_BODY)
  @Api(RECEIVE_EVENT)
  async receive(@Headers() headers: Record<string, unknown>, @Body() bytes: Buffer): Promise<void> {
    await this.events.receive(this.read(headers, bytes));
  }

  private read(headers: Record<string, unknown>, bytes: Buffer): EventHint {
    try {
      return this.signed.read(headers, bytes);
    } catch (error) {
      throw new Problem('invalid-signature', 'The webhook is not signed with the shared secret, or too long ago.', { cause: error });
    }
  }
}
