import { Body, Controller, Get, Headers, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { etagOf, requireIfMatch, sendVersion } from '../http/etag.js';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../idempotency/index.js';
import type { Page } from '../http/page.js';
import { Api } from '../openapi/api.decorator.js';
import { CreateTicket, ListTickets, TICKETS_PATH, UpdateTicket, ticketPath, type TicketView } from './ticket.dto.js';
import { CHANGE_TICKET, GET_TICKET, LIST_TICKETS, OPEN_TICKET } from './tickets.api.js';
import { TicketsService } from './tickets.service.js';

@Controller(TICKETS_PATH)
export class TicketsController {
  constructor(private readonly tickets: TicketsService) {}

  @Post()
  @NeedsScope('tickets:write')
  @Idempotent({ optimistic: true })
  @Api(OPEN_TICKET)
  async open(@Tx() tx: Transaction, @Caller() { accountId }: CallerType, @Body() body: CreateTicket): Promise<Reply> {
    const ticket = await this.tickets.open(tx, accountId, body);
    return reply(201, ticket, { location: ticketPath(ticket), etag: etagOf(ticket.version) });
  }

  @Get()
  @NeedsScope('tickets:read')
  @Api(LIST_TICKETS)
  list(@Caller() { accountId }: CallerType, @Query() query: ListTickets): Promise<Page<TicketView>> {
    return this.tickets.list(accountId, query);
  }

  @Get(':id')
  @NeedsScope('tickets:read')
  @Api(GET_TICKET)
  async get(
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) response: FastifyReply,
  ): Promise<TicketView | undefined> {
    return sendVersion(response, await this.tickets.get(accountId, id), ifNoneMatch);
  }

  @Patch(':id')
  @NeedsScope('tickets:write')
  @Idempotent({ optimistic: true })
  @Api(CHANGE_TICKET)
  async change(
    @Tx() tx: Transaction,
    @Caller() { accountId }: CallerType,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: UpdateTicket,
  ): Promise<Reply> {
    const ticket = await this.tickets.change(tx, accountId, id, requireIfMatch(ifMatch), body);
    return reply(200, ticket, { etag: etagOf(ticket.version), resource: ticketPath(ticket) });
  }
}
