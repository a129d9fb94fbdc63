import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { eventView } from '../events/event.view.js';
import type { Statement, Transaction } from '../idempotency/index.js';
import { newId, publicId, uuidOf } from '../kernel/ids.js';
import type { Page } from '../http/page.js';
import { noSuch } from '../http/problem.js';
import { pageBy } from '../http/reads.js';
import { WebhookDeliveryView, type ListDeliveries, type ShownDelivery } from './delivery.dto.js';
import { WebhookDelivery } from './delivery.entity.js';
import { WebhookEndpointView } from './endpoint.dto.js';
import { EndpointsService } from './endpoints.service.js';

/** Type of the event that a test sends; no list of events has it. */
const TEST = 'endpoint.test';

const SHOWN = `d.id, d.endpoint_id AS "endpointId", d.event_id AS "eventId", d.event_type AS "eventType", d.status,
  d.next_attempt_at AS "nextAttemptAt", d.attempts, d.created_at AS "createdAt", d.completed_at AS "completedAt"`;

const INSERT_TEST: Statement = {
  name: 'webhook-deliveries-insert-test',
  text: `INSERT INTO webhook_deliveries AS d (account_id, id, endpoint_id, event_id, event_type, resource_type, resource_id, resource_version, body,
                                         next_attempt_at, created_at)
         VALUES ($1, $2, $3, $4, '${TEST}', 'webhook_endpoint', $5, 1, $6, $7, $7) RETURNING ${SHOWN}`,
};

/** One that is under way stays in its attempt's hands, and is due again if that fails. */
const REDELIVER: Statement = {
  name: 'webhook-deliveries-redeliver',
  text: `UPDATE webhook_deliveries d SET status = 'pending', next_attempt_at = $3, failures = 0, failing_since = NULL, completed_at = NULL
           FROM webhook_endpoints e
          WHERE d.account_id = $1 AND d.id = $2 AND e.account_id = d.account_id AND e.id = d.endpoint_id RETURNING ${SHOWN}`,
};

/** Deliveries as their account sees them. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly endpoints: EndpointsService,
    @InjectRepository(WebhookDelivery) private readonly deliveries: Repository<WebhookDelivery>,
  ) {}

  /** @throws Problem `not-found` for an endpoint that the account doesn't have */
  async list(accountId: string, endpoint: string, query: ListDeliveries): Promise<Page<WebhookDeliveryView>> {
    const { id: endpointId } = await this.endpoints.get(accountId, endpoint);
    const where = { accountId, endpointId, ...(query.status && { status: query.status }) };
    return pageBy(this.deliveries, 'dlv', query, where, WebhookDeliveryView.of);
  }

  /** Has an event that stands for nothing sent to the endpoint, as others are. @throws Problem `not-found` */
  async test(tx: Transaction, accountId: string, id: string): Promise<WebhookDeliveryView> {
    const endpoint = await this.endpoints.lock(tx, accountId, id);
    const [eventId, now] = [newId(), await tx.now()];
    const event = {
      id: eventId,
      type: TEST,
      createdAt: now,
      operationId: tx.operationUuid,
      idempotencyKey: null,
      resourceType: 'webhook_endpoint',
      resourceId: publicId('we', endpoint.id),
      resourceVersion: 1,
      data: WebhookEndpointView.of(endpoint, now),
    };
    const values = [accountId, newId(), endpoint.id, eventId, event.resourceId, JSON.stringify(eventView(event)), now];
    return shown(await tx.run<ShownDelivery>(INSERT_TEST, values));
  }

  /** Has it sent again, whatever became of it, with all attempts of a new delivery. @throws Problem `not-found` */
  async redeliver(tx: Transaction, accountId: string, id: string): Promise<WebhookDeliveryView> {
    const uuid = uuidOf('dlv', id);
    return shown(uuid ? await tx.run<ShownDelivery>(REDELIVER, [accountId, uuid, await tx.now()]) : []);
  }
}

function shown([delivery]: ShownDelivery[]): WebhookDeliveryView {
  if (!delivery) throw noSuch('delivery');
  return WebhookDeliveryView.of(delivery);
}
