import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { publicOperationId, type OperationStory, type TimelineLine } from '../idempotency/index.js';
import { ListQuery } from '../http/page.js';
import { AnswerField, RequestField } from '../openapi/field.decorator.js';
import { createdAt, idOf, time } from '../openapi/fields.js';

/** Query of the list of operations. */
export class ListOperations extends ListQuery {
  @RequestField({
    type: 'string',
    maxLength: 600,
    given: true,
    required: false,
    description: 'Only the operation with this key, bare or quoted as in the header.',
  })
  idempotencyKey?: string;
}

/** Body of `POST /v1/operations/seal`. */
@ApiSchema({ name: 'SealKey', description: 'A key that nobody may use any more.' })
export class SealKey {
  @RequestField({
    type: 'string',
    maxLength: 600,
    given: true,
    description: 'The key, bare or quoted as in the header.',
    example: '01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a',
  })
  idempotencyKey: string;
}

@ApiSchema({ name: 'OperationEvent', description: 'One line of the story of an operation.' })
class TimelineLineView implements TimelineLine {
  @AnswerField(time('When (UTC).'))
  at: Date;

  @AnswerField({ type: 'string', description: 'What happened.', example: 'provider-answered' })
  event: string;

  @AnswerField({ type: 'string', description: 'More about it.', example: 'payments.charge, attempt 1' })
  detail: string;
}

@ApiSchema({ name: 'OperationResponse', description: 'What the operation answered.' })
class OperationResponseView {
  @AnswerField({ type: 'integer', minimum: 200, maximum: 599, description: 'HTTP status.', example: 201 })
  status: number;
}

@ApiSchema({ name: 'Operation', description: 'The story of one request with a key.' })
export class OperationView {
  @AnswerField(idOf('op', 'Id of the operation.'))
  id: string;

  @AnswerField({ type: 'string', description: 'Method and route.', example: 'POST /v1/payments' })
  operation: string;

  @AnswerField({
    type: 'string',
    enum: ['running', 'interrupted', 'completed'],
    description: '`interrupted`: nobody has it in hand; it will be finished.',
  })
  status: OperationStory['status'];

  @AnswerField({
    type: 'string',
    nullable: true,
    description: 'The step that it goes on with, or ended with; null where it has none.',
    example: 'payments.charge',
  })
  recoveryPoint: string | null;

  @AnswerField({ type: 'integer', minimum: 0, description: 'How often its present step was begun.', example: 1 })
  attempts: number;

  @AnswerField({ type: 'string', format: 'uri-reference', nullable: true, description: 'Path of what it made or changed.', example: null })
  resource: string | null;

  @ApiProperty({ type: OperationResponseView, nullable: true, description: 'Null while there is none.' })
  response: { status: number } | null;

  @AnswerField({ type: 'integer', minimum: 0, description: 'How often the answer was replayed.', example: 0 })
  replays: number;

  @AnswerField(createdAt)
  createdAt: Date;

  @AnswerField({ ...time('When it was completed (UTC).'), nullable: true })
  completedAt: Date | null;

  @AnswerField({ ...time('From then on its key is expired (UTC).'), nullable: true })
  expiresAt: Date | null;

  @AnswerField({ type: [TimelineLineView], description: 'What happened, in order.' })
  timeline: TimelineLine[];

  static of(story: OperationStory): OperationView {
    return {
      id: publicOperationId(story.id),
      operation: story.operation,
      status: story.status,
      recoveryPoint: story.recoveryPoint,
      attempts: story.attempts,
      resource: story.resource,
      response: story.responseStatus === null ? null : { status: story.responseStatus },
      replays: story.replays,
      createdAt: story.createdAt,
      completedAt: story.completedAt,
      expiresAt: story.expiresAt,
      timeline: story.timeline,
    };
  }
}

@ApiSchema({ name: 'SealedKey', description: 'What a key is after it was to be sealed.' })
export class SealedKeyView {
  @AnswerField({ type: 'string', description: 'The key, bare.', example: '01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a' })
  idempotencyKey: string;

  @AnswerField({
    type: 'string',
    enum: ['sealed', 'completed'],
    description: '`sealed`: no request with it has executed, and none ever will. `completed`: one has, and nothing was changed.',
  })
  state: 'sealed' | 'completed';

  @ApiProperty({ type: OperationView, required: false, description: 'What was done with a key that was used.' })
  operation?: OperationView;
}
