import { created, having, listOf, ok, readOf, type Shown } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { noSuch } from '../http/problem.js';
import { invalid } from '../http/validation.js';
import { TicketView } from './ticket.dto.js';

const TICKET: Shown = {
  view: TicketView,
  example: {
    id: EXAMPLE_ID.tkt,
    subject: 'Lamp is dark',
    description: 'One of the two lamps does not light up.',
    orderId: null,
    status: 'open',
    priority: 'normal',
    version: 1,
    createdAt: EXAMPLE_TIME,
    updatedAt: EXAMPLE_TIME,
  },
};

const params = { id: idOf('tkt', 'Id of the ticket.') };

export const OPEN_TICKET: ApiOptions = {
  id: 'openTicket',
  summary: 'Open a ticket',
  description: 'Asks for support, about an order or not. A retry never opens a second ticket.',
  effects: 'one ticket',
  requests: {
    'A question': { subject: 'Lamp is dark', description: 'One of the two lamps does not light up.', priority: 'normal' },
  },
  answers: [created(TICKET, 'The ticket is open.', `/v1/tickets/${EXAMPLE_ID.tkt}`)],
  problems: [invalid([{ pointer: '/priority', detail: 'must be one of the following values: low, normal, high' }]), noSuch('order')],
};

export const LIST_TICKETS = listOf(TICKET, { id: 'listTickets', things: 'tickets' });

export const GET_TICKET = readOf(TICKET, {
  id: 'getTicket',
  thing: 'ticket',
  description: 'The ticket in its present version.',
  params,
  problems: [noSuch('ticket')],
});

export const CHANGE_TICKET: ApiOptions = {
  id: 'changeTicket',
  summary: 'Change a ticket',
  description: 'Changes status or priority, provided that nobody else changed the ticket since it was read.',
  effects: 'one change, one new version',
  params,
  requests: { 'Close it': { status: 'closed' }, 'More urgent': { priority: 'high' } },
  answers: [ok(having(TICKET, { status: 'closed', version: 2 }), 'The ticket in its new version.')],
  problems: [noSuch('ticket')],
};
