import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ListQuery } from '../http/page.js';
import { AnswerField, RequestField, type TextField } from '../openapi/field.decorator.js';
import { EXAMPLE_ID, MAX_TEXT, idOf, time, version } from '../openapi/fields.js';
import { EVENT_TYPES } from './event-types.js';

const type = { type: 'string', enum: EVENT_TYPES, description: 'What became true.', example: 'order.created' } satisfies TextField;

/** Query of the list of events. */
export class ListEvents extends ListQuery {
  @RequestField({ ...type, required: false, description: 'Only events of this type.' })
  type?: string;

  @RequestField({
    type: 'string',
    maxLength: MAX_TEXT,
    given: true,
    required: false,
    description: 'Only events of the order, payment, refund, ticket or product with this id.',
  })
  resource?: string;

  @RequestField({
    type: 'string',
    maxLength: MAX_TEXT,
    given: true,
    required: false,
    description: 'Id of an event: only events after it, oldest first. Not together with `cursor`.',
  })
  after?: string;
}

@ApiSchema({ name: 'EventResource', description: 'What an event is about.' })
class EventResourceView {
  @AnswerField({ type: 'string', description: 'What it is.', example: 'order' })
  type: string;

  @AnswerField({ type: 'string', description: 'Its id.', example: EXAMPLE_ID.ord })
  id: string;

  @AnswerField({ ...version, description: 'Its version when it had become so.' })
  version: number;
}

@ApiSchema({ name: 'Event', description: 'Something that became true, as it was written down in the transaction that made it so.' })
export class EventView {
  @AnswerField(idOf('evt', 'Id of the event.'))
  id: string;

  @AnswerField(type)
  type: string;

  @AnswerField(time('When it became true (UTC).'))
  createdAt: Date;

  @AnswerField({ ...idOf('op', 'The operation that made it true; null where no request with a key did.'), nullable: true })
  operationId: string | null;

  @AnswerField({
    type: 'string',
    nullable: true,
    description: 'The key of that request; null where there was none.',
    example: '01933c1e-7bb3-7a51-8d0e-3a4f0c5e9b21',
  })
  idempotencyKey: string | null;

  @ApiProperty({ type: () => EventResourceView, description: 'What it is about.' })
  resource: EventResourceView;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'The resource as the API showed it at that version.' })
  data: object;
}
