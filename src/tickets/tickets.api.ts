import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { Problem } from '../http/problem.js';
import { invalid } from '../http/validation.js';
import { TicketView } from './ticket.dto.js';

const EXAMPLE = {
  id: EXAMPLE_ID.tkt,
  subject: 'Lamp is dark',
  description: 'One of the two lamps does not light up.',
  orderId: null,
  status: 'open',
  priority: 'normal',
  version: 1,
  createdAt: EXAMPLE_TIME,
  updatedAt: EXAMPLE_TIME,
};

const params = { id: idOf('tkt', 'Id of the ticket.') };
const noSuchTicket = new Problem('not-found', 'This account has no such ticket.');

export const OPEN_TICKET: ApiOptions = {
  id: 'openTicket',
  summary: 'Open a ticket',
  description: 'Asks for support, about an order or not. A retry never opens a second ticket.',
  effects: 'one ticket',
  requests: {
    'A question': { subject: 'Lamp is dark', description: 'One of the two lamps does not light up.', priority: 'normal' },
  },
  answers: [
    {
      status: 201,
      description: 'The ticket is open.',
      view: TicketView,
      example: EXAMPLE,
      headers: { Location: `/v1/tickets/${EXAMPLE_ID.tkt}`, ETag: '"1"' },
    },
  ],
  problems: [
    invalid([{ pointer: '/priority', detail: 'must be one of the following values: low, normal, high' }]),
    new Problem('not-found', 'This account has no such order.'),
  ],
};

export const LIST_TICKETS: ApiOptions = {
  id: 'listTickets',
  summary: 'List tickets',
  description: 'The account’s tickets, newest first.',
  answers: [{ status: 200, description: 'A page of tickets.', view: TicketView, list: true, example: EXAMPLE }],
};

export const GET_TICKET: ApiOptions = {
  id: 'getTicket',
  summary: 'Read a ticket',
  description: 'The ticket in its present version.',
  params,
  answers: [
    { status: 200, description: 'The ticket.', view: TicketView, example: EXAMPLE, headers: { ETag: '"1"' } },
    { status: 304, description: 'The client has this version already.', headers: { ETag: '"1"' } },
  ],
  problems: [noSuchTicket],
};

export const CHANGE_TICKET: ApiOptions = {
  id: 'changeTicket',
  summary: 'Change a ticket',
  description: 'Changes status or priority, provided that nobody else changed the ticket since it was read.',
  effects: 'one change, one new version',
  params,
  requests: { 'Close it': { status: 'closed' }, 'More urgent': { priority: 'high' } },
  answers: [
    {
      status: 200,
      description: 'The ticket in its new version.',
      view: TicketView,
      example: { ...EXAMPLE, status: 'closed', version: 2 },
      headers: { ETag: '"2"' },
    },
  ],
  problems: [noSuchTicket],
};
