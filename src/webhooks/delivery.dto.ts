import { ApiSchema } from '@nestjs/swagger';
import { publicId } from '../kernel/ids.js';
import { ListQuery } from '../http/page.js';
import { AnswerField, RequestField, type TextField } from '../openapi/field.decorator.js';
import { createdAt, idOf, time } from '../openapi/fields.js';
import { DELIVERY_STATUSES, type Attempt, type DeliveryStatus, type WebhookDelivery } from './delivery.entity.js';

const status = {
  type: 'string',
  enum: DELIVERY_STATUSES,
  description: '`delivered`: the receiver answered 2xx. `dead`: given up after four days of failures; a redelivery tries again.',
} satisfies TextField;

/** Query of the list of deliveries. */
export class ListDeliveries extends ListQuery {
  @RequestField({ ...status, required: false, description: 'Only deliveries with this status.' })
  status?: DeliveryStatus;
}

@ApiSchema({ name: 'WebhookAttempt', description: 'One try to deliver.' })
export class WebhookAttemptView {
  @AnswerField({ type: 'integer', minimum: 1, description: 'Which one; a number that is missing was cut off.', example: 1 })
  attempt: number;

  @AnswerField(time('When it ended (UTC).'))
  at: string;

  @AnswerField({ type: 'integer', nullable: true, description: 'What the receiver answered; null where it didn’t.', example: 200 })
  status: number | null;

  @AnswerField({
    type: 'string',
    nullable: true,
    description:
      'Why there is no answer: `timeout`, `address-refused`, `name-unknown`, `connection-refused`, `tls`, `connection`, `event-purged`.',
    example: null,
  })
  error: string | null;

  @AnswerField({ type: 'integer', minimum: 0, description: 'How long it took, in milliseconds.', example: 84 })
  ms: number;
}

@ApiSchema({ name: 'WebhookDelivery', description: 'One event on its way to one endpoint.' })
export class WebhookDeliveryView {
  @AnswerField(idOf('dlv', 'Id of the delivery.'))
  id: string;

  @AnswerField(idOf('we', 'The endpoint.'))
  endpointId: string;

  @AnswerField(idOf('evt', 'The event, which `webhook-id` names.'))
  eventId: string;

  @AnswerField({ type: 'string', description: 'Type of the event; `endpoint.test` for a test.', example: 'order.paid' })
  eventType: string;

  @AnswerField(status)
  status: DeliveryStatus;

  @AnswerField({ ...time('When it is tried next, at the earliest; null when it is over.'), nullable: true })
  nextAttemptAt: Date | null;

  @AnswerField({ type: [WebhookAttemptView], maxItems: 50, description: 'The last attempts, oldest first.' })
  attempts: Attempt[];

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField({ ...time('When it was delivered or given up.'), nullable: true })
  completedAt: Date | null;

  static of(delivery: ShownDelivery): WebhookDeliveryView {
    return {
      id: publicId('dlv', delivery.id),
      endpointId: publicId('we', delivery.endpointId),
      eventId: publicId('evt', delivery.eventId),
      eventType: delivery.eventType,
      status: delivery.status,
      nextAttemptAt: delivery.nextAttemptAt,
      attempts: delivery.attempts.map(({ attempt, at, status, error, ms }) => ({ attempt, at, status, error, ms })),
      createdAt: delivery.createdAt,
      completedAt: delivery.completedAt,
    };
  }
}

/** What of a delivery is shown. */
export type ShownDelivery = Pick<
  WebhookDelivery,
  'id' | 'endpointId' | 'eventId' | 'eventType' | 'status' | 'nextAttemptAt' | 'attempts' | 'createdAt' | 'completedAt'
>;
