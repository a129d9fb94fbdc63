import { z } from 'zod';
import { hasLength } from '../openapi/field.decorator.js';
import { MAX_TEXT } from '../openapi/fields.js';

const text = (description: string) =>
  z
    .string()
    .refine((value) => hasLength(value, 0, MAX_TEXT))
    .meta({ maxLength: MAX_TEXT, description });

/** An event of the provider. No class with fields: unlike the bodies of clients, it may have members that nobody here knows. */
export const providerEvent = z.object({
  type: text('What happened.'),
  data: z
    .object({ reference: text('What the charge or refund was sent with.').optional() })
    .meta({ description: 'What it happened to.' })
    .optional(),
});

/** The same as a JSON schema. */
export const { $schema: _dialect, ...PROVIDER_EVENT_SCHEMA } = z.toJSONSchema(providerEvent, { io: 'input' });
