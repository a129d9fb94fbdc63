import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { appendEvent } from '../events/outbox.js';
import { checkIfMatch } from '../http/etag.js';
import type { Statement, Transaction } from '../idempotency/index.js';
import { newId, uuidOf } from '../kernel/ids.js';
import type { Page } from '../http/page.js';
import { noSuch } from '../http/problem.js';
import { findByPublicId, pageBy } from '../http/reads.js';
import { OrdersService } from '../orders/orders.service.js';
import { TicketView, type CreateTicket, type ListTickets, type UpdateTicket } from './ticket.dto.js';
import { Ticket } from './ticket.entity.js';

const INSERT_TICKET: Statement = {
  name: 'tickets-insert',
  text: `INSERT INTO tickets (account_id, id, subject, description, order_id, status, priority, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'open', $6, 1, $7, $7)`,
};

/** Support tickets: opening and changing them inside a transaction, and reading them. */
@Injectable()
export class TicketsService {
  constructor(
    private readonly orders: OrdersService,
    @InjectRepository(Ticket) private readonly tickets: Repository<Ticket>,
  ) {}

  /** @throws Problem `not-found` for an order that the account doesn't have */
  async open(tx: Transaction, accountId: string, { subject, description, orderId, priority }: CreateTicket): Promise<TicketView> {
    const order = orderId == null ? null : await this.orders.require(tx, accountId, orderId);
    const now = new Date();
    const id = newId();
    tx.write(INSERT_TICKET, [accountId, id, subject, description, order, priority, now]);
    const view = TicketView.of({
      id,
      subject,
      description,
      orderId: order,
      status: 'open',
      priority,
      version: 1,
      createdAt: now,
      updatedAt: now,
    });
    appendEvent(tx, accountId, 'ticket.created', view);
    return view;
  }

  /** Through TypeORM's entities: changing a ticket is no hot path. @throws Problem `not-found`, `precondition-failed` */
  async change(tx: Transaction, accountId: string, id: string, ifMatch: string, update: UpdateTicket): Promise<TicketView> {
    const uuid = uuidOf('tkt', id);
    const repository = (await tx.manager()).getRepository(Ticket);
    const ticket = uuid && (await repository.findOne({ where: { accountId, id: uuid }, lock: { mode: 'for_no_key_update' } }));
    if (!ticket) throw noSuch('ticket');
    checkIfMatch(ifMatch, ticket.version);
    const view = TicketView.of(
      await repository.save({
        ...ticket,
        status: update.status ?? ticket.status,
        priority: update.priority ?? ticket.priority,
        version: ticket.version + 1,
        updatedAt: await tx.now(),
      }),
    );
    appendEvent(tx, accountId, 'ticket.updated', view);
    return view;
  }

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<TicketView> {
    const ticket = await findByPublicId(this.tickets, 'tkt', { accountId, id });
    if (!ticket) throw noSuch('ticket');
    return TicketView.of(ticket);
  }

  list(accountId: string, query: ListTickets): Promise<Page<TicketView>> {
    return pageBy(this.tickets, 'tkt', query, { accountId, status: query.status }, TicketView.of);
  }
}
