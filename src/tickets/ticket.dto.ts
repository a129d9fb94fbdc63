import { IsIn, IsNotEmpty, IsOptional, IsString, MaxLength, ValidateIf } from 'class-validator';
import { publicId } from '../ids.js';
import { ListQuery } from '../list.js';
import { TICKET_PRIORITIES, TICKET_STATUSES, type Ticket, type TicketPriority, type TicketStatus } from './ticket.entity.js';

/** A new support ticket. */
export class CreateTicket {
  @MaxLength(255)
  @IsNotEmpty()
  @IsString()
  subject: string;

  @MaxLength(10_000)
  @IsNotEmpty()
  @IsString()
  description: string;

  /** The order that the ticket is about. */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  orderId?: string | null;

  @IsIn(TICKET_PRIORITIES)
  priority: TicketPriority;
}

/** What may change in a ticket. Members that are absent stay. */
export class UpdateTicket {
  @ValidateIf((update: UpdateTicket) => update.status !== undefined)
  @IsIn(TICKET_STATUSES)
  status?: TicketStatus;

  @ValidateIf((update: UpdateTicket) => update.priority !== undefined)
  @IsIn(TICKET_PRIORITIES)
  priority?: TicketPriority;
}

/** Query of the list of tickets. */
export class ListTickets extends ListQuery {
  @IsOptional()
  @IsIn(TICKET_STATUSES)
  status?: TicketStatus;
}

/** A ticket as clients see it. */
export class TicketView {
  id: string;
  subject: string;
  description: string;
  orderId: string | null;
  status: TicketStatus;
  priority: TicketPriority;
  version: number;
  createdAt: Date;
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
