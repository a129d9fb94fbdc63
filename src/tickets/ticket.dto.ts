import { ApiSchema } from '@nestjs/swagger';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { AnswerField, RequestField, type TextField } from '../openapi/field.decorator.js';
import { MAX_TEXT, createdAt, idOf, nameOf, updatedAt, version } from '../openapi/fields.js';
import { TICKET_PRIORITIES, TICKET_STATUSES, type Ticket, type TicketPriority, type TicketStatus } from './ticket.entity.js';

const subject: TextField = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_TEXT,
  description: 'What it is about, in a line.',
  example: 'Lamp is dark',
};
const description: TextField = {
  type: 'string',
  minLength: 1,
  maxLength: 10_000,
  description: 'The whole story.',
  example: 'One of the two lamps does not light up.',
};
const ORDER = 'The order that it is about, where there is one.';
const status: TextField = { type: 'string', enum: TICKET_STATUSES, description: 'How far it has come.' };
const priority: TextField = { type: 'string', enum: TICKET_PRIORITIES, description: 'How urgent it is.' };

@ApiSchema({ description: 'A new request for support.' })
export class CreateTicket {
  @RequestField(subject)
  subject: string;

  @RequestField(description)
  description: string;

  @RequestField({ ...nameOf('ord', ORDER), required: false, nullable: true })
  orderId?: string | null;

  @RequestField(priority)
  priority: TicketPriority;
}

@ApiSchema({ description: 'What may change in a ticket. Members that are absent stay.' })
export class UpdateTicket {
  @RequestField({ ...status, required: false })
  status?: TicketStatus;

  @RequestField({ ...priority, required: false })
  priority?: TicketPriority;
}

/** Query of the list of tickets. */
export class ListTickets extends ListQuery {
  @RequestField({ ...status, required: false, description: 'Only tickets with this status.' })
  status?: TicketStatus;
}

@ApiSchema({ name: 'Ticket', description: 'A request for support.' })
export class TicketView {
  @AnswerField(idOf('tkt', 'Id of the ticket.'))
  id: string;

  @AnswerField(subject)
  subject: string;

  @AnswerField(description)
  description: string;

  @AnswerField({ ...idOf('ord', ORDER), nullable: true })
  orderId: string | null;

  @AnswerField(status)
  status: TicketStatus;

  @AnswerField(priority)
  priority: TicketPriority;

  @AnswerField(version)
  version: number;

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField(updatedAt)
  updatedAt: Date;

  static of(ticket: Omit<Ticket, 'accountId' | 'order'>): TicketView {
    return {
      id: publicId('tkt', ticket.id),
      subject: ticket.subject,
      description: ticket.description,
      orderId: ticket.orderId && publicId('ord', ticket.orderId),
      status: ticket.status,
      priority: ticket.priority,
      version: ticket.version,
      createdAt: ticket.createdAt,
      updatedAt: ticket.updatedAt,
    };
  }
}

/** Where tickets are opened. Records name what made a ticket by it. */
export const TICKETS_PATH = '/v1/tickets';

/** Where a ticket is found. */
export function ticketPath(ticket: TicketView): string {
  return `${TICKETS_PATH}/${ticket.id}`;
}
