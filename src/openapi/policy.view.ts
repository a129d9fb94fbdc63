import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Deprecation } from '../http/deprecation.js';
import type { RetryVerdict } from '../http/problem-table.js';
import { AnswerField } from './field.decorator.js';
import { KEY_PATTERN } from './fields.js';
import type { Guarantees } from './operation.js';
import type { Policy } from './policy.js';

@ApiSchema({ name: 'PolicyHeader', description: 'The header that carries the key.' })
class PolicyHeaderView {
  @AnswerField({ type: 'string', description: 'Its name.', example: 'Idempotency-Key' })
  name: string;

  @AnswerField({ type: 'string', description: 'What may stand in it, in words.' })
  syntax: string;

  @AnswerField({ type: 'string', description: 'The same as a regular expression.' })
  pattern: string;

  @AnswerField({ type: 'integer', minimum: 1, description: 'The longest key, in characters.', example: 255 })
  maxLength: number;
}

@ApiSchema({ name: 'PolicyDeprecation', description: 'That an operation is going away.' })
class PolicyDeprecationView implements Deprecation {
  @AnswerField({ type: 'string', description: 'Since when nobody should begin to use it.' })
  since: string;

  @AnswerField({ type: 'string', required: false, description: 'When it may stop answering.' })
  sunset?: string;

  @AnswerField({ type: 'string', format: 'uri-reference', description: 'What takes its place.' })
  guide: string;
}

@ApiSchema({ name: 'PolicyOperation', description: 'What one operation guarantees: its `x-idempotency`.' })
class PolicyOperationView implements Guarantees {
  @AnswerField({ type: 'string', description: 'Method.', example: 'POST' })
  method: string;

  @AnswerField({ type: 'string', description: 'Path, with its parameters in braces.', example: '/v1/orders' })
  path: string;

  @AnswerField({ type: 'string', description: 'Its name in this document.', example: 'placeOrder' })
  operationId: string;

  @ApiProperty({ type: PolicyDeprecationView, nullable: true, description: 'Null while it stays.' })
  deprecation: Deprecation | null;

  @AnswerField({ type: 'boolean', description: 'Whether it needs a key.' })
  required: boolean;

  @AnswerField({
    type: 'string',
    nullable: true,
    description: 'How long its answer is kept from its completion; null without a key.',
    example: '24h',
  })
  window: string | null;

  @AnswerField({ type: 'string', description: 'What happens once, however often it is sent.', example: 'one order' })
  effects: string;

  @AnswerField({ type: 'string', description: 'What becomes of requests at once under one key.' })
  concurrent: string;

  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ type: 'integer' }, { type: 'string' }] },
    nullable: true,
    description: 'Which answers are stored and replayed: statuses of success, and codes of problems; null without a key.',
  })
  stored: (number | string)[] | null;

  @AnswerField({
    type: 'string',
    nullable: true,
    description: 'How long the same request under another key is a possible duplicate; null where nobody looks.',
    example: '2m',
  })
  duplicateWindow: string | null;

  @AnswerField({
    type: 'string',
    enum: ['refuse', 'execute'],
    nullable: true,
    description: 'What becomes of a request whose key’s window has passed; null without a key.',
  })
  lateRequests: Guarantees['lateRequests'];
}

@ApiSchema({ name: 'Policy', description: 'What a key means here.' })
export class PolicyView implements Policy {
  @ApiProperty({ type: PolicyHeaderView, description: 'The header that carries the key.' })
  header: Policy['header'];

  @ApiProperty({ type: 'array', items: { type: 'string' }, description: 'Methods of the operations that need a key.' })
  methods: string[];

  @AnswerField({ type: [PolicyOperationView], description: 'Every operation, with what it guarantees.' })
  operations: PolicyOperationView[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', enum: ['same-key', 'new-key', 'never'] },
    description: 'What to do after each problem, by its code.',
  })
  verdicts: Record<string, RetryVerdict>;
}

/** One of its operations and some of its verdicts. */
export const EXAMPLE_POLICY: Policy = {
  header: {
    name: 'Idempotency-Key',
    syntax: '1 to 255 visible ASCII characters, bare or as an RFC 9651 string; both forms are the same key',
    pattern: KEY_PATTERN,
    maxLength: 255,
  },
  methods: ['PATCH', 'POST'],
  operations: [
    {
      method: 'POST',
      path: '/v1/tickets',
      operationId: 'openTicket',
      deprecation: null,
      required: true,
      window: '24h',
      effects: 'one ticket',
      concurrent: 'one runs; the others get 409 idempotency-request-in-progress, or its answer with Prefer: wait=N',
      stored: [201, 'not-found'],
      duplicateWindow: null,
      lateRequests: 'refuse',
    },
  ],
  verdicts: { 'idempotency-request-in-progress': 'same-key', 'payment-declined': 'new-key', 'idempotency-key-reused': 'never' },
};
