import { ApiPropertyOptional, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { HoldAtMost } from '../http/hold-at-most.js';
import { AnswerField, RequestField } from '../openapi/field.decorator.js';
import { KEY_PATTERN } from '../openapi/fields.js';
import { CreateOrder, OrderView } from './order.dto.js';

/** How many orders a batch has, and how many lines they have together. */
const ORDERS = { minItems: 1, maxItems: 100 };
const MAX_LINES = 500;

@ApiSchema({ description: 'An order of a batch: what would be sent alone, and its key.' })
export class BatchOrder extends CreateOrder {
  @RequestField({
    type: 'string',
    pattern: KEY_PATTERN,
    refusal: 'must be 1 to 255 visible ASCII characters, bare or as a quoted RFC 9651 string',
    given: true,
    description: 'Its own Idempotency-Key, with the syntax of the header.',
    example: '019bc0fd-8a39-7d4e-b6a2-0c9f4e1d7b35',
  })
  idempotencyKey: string;
}

@ApiSchema({ description: 'Several new orders.' })
export class CreateBatch {
  @RequestField({ type: 'boolean', description: 'True: all orders or none. False: each stands alone.', example: false })
  atomic: boolean;

  @HoldAtMost(MAX_LINES, 'items', `must have at most ${MAX_LINES} items in all`)
  @RequestField({ type: [BatchOrder], ...ORDERS, description: `The orders; at most ${MAX_LINES} items in all of them together.` })
  orders: BatchOrder[];
}

@ApiSchema({ name: 'BatchResult', description: 'What one order of a batch came to.' })
export class BatchResultView {
  @AnswerField({ type: 'integer', minimum: 0, maximum: ORDERS.maxItems - 1, description: 'Its place in the request, from 0.', example: 0 })
  index: number;

  @AnswerField({ type: 'integer', minimum: 201, maximum: 599, description: 'The status that it would have alone.', example: 201 })
  status: number;

  @ApiPropertyOptional({ type: OrderView, description: 'The order, where it was placed, by this batch or before.' })
  order?: unknown;

  @ApiPropertyOptional({ allOf: [{ $ref: getSchemaPath('Problem') }], description: 'Why it was not.' })
  problem?: unknown;
}

@ApiSchema({ name: 'BatchResults', description: 'What the orders of a batch came to.' })
export class BatchView {
  @AnswerField({ type: [BatchResultView], ...ORDERS, description: 'One result for each order, in the order of the request.' })
  results: BatchResultView[];
}
