import { Controller, Get, Param, Query } from '@nestjs/common';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import type { Page } from '../http/page.js';
import { Api } from '../openapi/api.decorator.js';
import { ListEvents, type EventView } from './event.dto.js';
import { GET_EVENT, LIST_EVENTS } from './events.api.js';
import { EventsService } from './events.service.js';

@Controller('v1/events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Get()
  @NeedsScope('webhooks:read')
  @Api(LIST_EVENTS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListEvents): Promise<Page<EventView>> {
    return this.events.list(accountId, query);
  }

  @Get(':id')
  @NeedsScope('webhooks:read')
  @Api(GET_EVENT)
  get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<EventView> {
    return this.events.get(accountId, id);
  }
}
