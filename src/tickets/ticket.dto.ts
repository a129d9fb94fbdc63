import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsNotEmpty, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { createdAt, idOf, updatedAt, version } from '../openapi/fields.js';
import { TICKET_PRIORITIES, TICKET_STATUSES, type Ticket, type TicketPriority, type TicketStatus } from './ticket.entity.js';

const subject = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: 'What it is about, in a line.',
  example: 'Lamp is dark',
} as const;
const description = {
  type: 'string',
  minLength: 1,
  maxLength: 10_000,
  description: 'The whole story.',
  example: 'One of the two lamps does not light up.',
} as const;
const orderId = { ...idOf('ord', 'The order that it is about, where there is one.'), nullable: true } as const;
const status = { type: 'string', enum: TICKET_STATUSES, description: 'How far it has come.' } as const;
const priority = { type: 'string', enum: TICKET_PRIORITIES, description: 'How urgent it is.' } as const;

@ApiSchema({ description: 'A new request for support.' })
export class CreateTicket {
  @ApiProperty(subject)
  @MaxLength(255)
  @IsNotEmpty()
  @IsString()
  subject: string;

  @ApiProperty(description)
  @MaxLength(10_000)
  @IsNotEmpty()
  @IsString()
  description: string;

  @ApiPropertyOptional(orderId)
  @IsOptional()
  @IsString()
  @MaxLength(255)
  orderId?: string | null;

  @ApiProperty(priority)
  @IsIn(TICKET_PRIORITIES)
  priority: TicketPriority;
}

@ApiSchema({ description: 'What may change in a ticket. Members that are absent stay.' })
export class UpdateTicket {
  @ApiPropertyOptional(status)
  @ValidateIf((update: UpdateTicket) => update.status !== undefined)
  @IsIn(TICKET_STATUSES)
  status?: TicketStatus;

  @ApiPropertyOptional(priority)
  @ValidateIf((update: UpdateTicket) => update.priority !== undefined)
  @IsIn(TICKET_PRIORITIES)
  priority?: TicketPriority;
}

/** Query of the list of tickets. */
export class ListTickets extends ListQuery {
  @ApiPropertyOptional({ ...status, description: 'Only tickets with this status.' })
  @IsOptional()
  @IsIn(TICKET_STATUSES)
  status?: TicketStatus;
}

@ApiSchema({ name: 'Ticket', description: 'A request for support.' })
export class TicketView {
  @ApiProperty(idOf('tkt', 'Id of the ticket.'))
  id: string;

  @ApiProperty(subject)
  subject: string;

  @ApiProperty(description)
  description: string;

  @ApiProperty(orderId)
  orderId: string | null;

  @ApiProperty(status)
  status: TicketStatus;

  @ApiProperty(priority)
  priority: TicketPriority;

  @ApiProperty(version)
  version: number;

  @ApiProperty(createdAt)
  createdAt: Date;

  @ApiProperty(updatedAt)
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
