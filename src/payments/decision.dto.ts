import { ApiSchema } from '@nestjs/swagger';
import { RequestField } from '../openapi/field.decorator.js';
import { MAX_TEXT } from '../openapi/fields.js';
import { OUTCOMES, type DecidedOutcome } from './decision.entity.js';

@ApiSchema({ description: 'A decision about a payment or refund of which the provider can’t tell.' })
export class Decide {
  @RequestField({
    type: 'string',
    enum: OUTCOMES,
    description: 'Whether the charge, or the refund, happened at the provider.',
    example: 'happened',
  })
  outcome: DecidedOutcome;

  @RequestField({
    type: 'string',
    minLength: 1,
    maxLength: MAX_TEXT,
    required: false,
    nullable: true,
    description: 'The provider’s id of what happened. A payment without one can’t be refunded here.',
    example: 'ch_5f2c9a',
  })
  providerReference?: string | null;

  @RequestField({
    type: 'string',
    minLength: 1,
    maxLength: MAX_TEXT,
    description: 'How it was found out; it stands in the timeline.',
    example: 'seen in the dashboard',
  })
  note: string;
}
