import type { IdPrefix } from '../kernel/ids.js';
import { MAX_AMOUNT } from '../kernel/money.js';

/** Ids that the examples use for one and the same thing everywhere. */
export const EXAMPLE_ID = {
  acct: 'acct_01kf0fv28ce4tbx1f3m0r9h6yd',
  ord: 'ord_01kf0fv330e05ba0skavc5nrw7',
  tkt: 'tkt_01kf0fv329e5yr6dkty8rxn4xr',
  pay: 'pay_01kf0fv2wje87tas37vg7k03sp',
  re: 're_01kf0fv2xre889166n6hx7sz4y',
  op: 'op_01kf0fv3dpeyt80w9nzcbvrcmt',
} as const satisfies Record<IdPrefix | 'op', string>;

/** The time of the examples. */
export const EXAMPLE_TIME = '2026-01-15T09:30:00.120Z';

/** The public id of one kind of thing: a TypeID, whose suffix is a UUID in Crockford's base 32. */
export function idOf(prefix: keyof typeof EXAMPLE_ID, description: string) {
  return { type: 'string', pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`, description, example: EXAMPLE_ID[prefix] } as const;
}

/** The client's own id of a product. */
export function productId(description: string) {
  return { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$', description, example: '123' } as const;
}

/** Money in the currency's minor unit; beyond 2^31, but exact in a double. */
export function amount(description: string, example: number) {
  return { type: 'integer', format: 'int64', minimum: 1, maximum: MAX_AMOUNT, description, example } as const;
}

export const currency = {
  type: 'string',
  pattern: '^[A-Z]{3}$',
  description: 'ISO 4217 code of the account’s currency.',
  example: 'EUR',
} as const;

export function time(description: string) {
  return { type: 'string', format: 'date-time', description, example: EXAMPLE_TIME } as const;
}

export const createdAt = time('When it was made (UTC).');
export const updatedAt = time('When it last changed (UTC).');

export const version = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  description: 'Grows with every change. In quotes it is the ETag.',
  example: 1,
} as const;

export const metadata = {
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 500 },
  maxProperties: 50,
  description: 'At most 50 texts of at most 500 characters, under names of 1 to 255; the service keeps them and reads nothing into them.',
  example: { channel: 'web' },
} as const;
