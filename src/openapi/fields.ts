import type { IdPrefix } from '../kernel/ids.js';
import { MAX_AMOUNT } from '../kernel/money.js';
import type { IntegerField, TextField, TextsField } from './field.decorator.js';

/** Ids that the examples use for one and the same thing everywhere. */
export const EXAMPLE_ID = {
  acct: 'acct_01kf0fv28ce4tbx1f3m0r9h6yd',
  ord: 'ord_01kf0fv330e05ba0skavc5nrw7',
  tkt: 'tkt_01kf0fv329e5yr6dkty8rxn4xr',
  pay: 'pay_01kf0fv2wje87tas37vg7k03sp',
  re: 're_01kf0fv2xre889166n6hx7sz4y',
  op: 'op_01kf0fv3dpeyt80w9nzcbvrcmt',
  evt: 'evt_01kf0fv3dqe8sr2nqx0d4m9t1k',
  we: 'we_01kf0fv3fpe1cb5sy4m9t6z8qd',
  dlv: 'dlv_01kf0fv3gqf4rvd0w2b7x5n3jm',
} as const satisfies Record<IdPrefix | 'op', string>;

/** The time of the examples. */
export const EXAMPLE_TIME = '2026-01-15T09:30:00.120Z';

/** The longest text where nothing else is said, in characters. */
export const MAX_TEXT = 255;

/** The public id of one kind of thing: a TypeID, whose suffix is a UUID in Crockford's base 32. */
export function idOf(prefix: keyof typeof EXAMPLE_ID, description: string) {
  return {
    type: 'string',
    pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`,
    description,
    example: EXAMPLE_ID[prefix],
  } satisfies TextField;
}

/** The same where a client names a thing: any text, since one that is no such id is as unknown (404) as an id that nothing has. */
export function nameOf(prefix: keyof typeof EXAMPLE_ID, description: string) {
  return { type: 'string', maxLength: MAX_TEXT, description, example: EXAMPLE_ID[prefix] } satisfies TextField;
}

/** A product's id, which is the account's own words; NUL, which PostgreSQL's text can't hold, is none of them. */
export const PRODUCT_ID = /^[A-Za-z0-9._-]{1,64}$/;

export function productId(description: string) {
  return {
    type: 'string',
    pattern: PRODUCT_ID.source,
    refusal: 'must be 1 to 64 letters, digits, dots, hyphens or underscores',
    description,
    example: '123',
  } satisfies TextField;
}

/** An Idempotency-Key, bare or as a quoted RFC 9651 string: what `parseKey` takes. */
export const KEY_PATTERN = String.raw`^(?:[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$`;

/** Money in the currency's minor unit; beyond 2^31, but exact in a double. */
export function amount(description: string, example: number) {
  return { type: 'integer', format: 'int64', minimum: 1, maximum: MAX_AMOUNT, description, example } satisfies IntegerField;
}

export const currency = {
  type: 'string',
  pattern: '^[A-Z]{3}$',
  refusal: 'must be an ISO 4217 code',
  description: 'ISO 4217 code of the account’s currency.',
  example: 'EUR',
} satisfies TextField;

export function time(description: string) {
  return { type: 'string', format: 'date-time', description, example: EXAMPLE_TIME } satisfies TextField;
}

export const createdAt = time('When it was made (UTC).');
export const updatedAt = time('When it last changed (UTC).');

export const version = {
  type: 'integer',
  format: 'int32',
  minimum: 1,
  description: 'Grows with every change. In quotes it is the ETag.',
  example: 1,
} satisfies IntegerField;

const ENTRIES = 50;
const ENTRY_LENGTH = 500;

export const metadata = {
  type: 'object',
  additionalProperties: { type: 'string', maxLength: ENTRY_LENGTH },
  propertyNames: { minLength: 1, maxLength: MAX_TEXT },
  maxProperties: ENTRIES,
  description:
    `At most ${ENTRIES} texts of at most ${ENTRY_LENGTH} characters, under names of 1 to ${MAX_TEXT}; ` +
    'the service keeps them and reads nothing into them.',
  example: { channel: 'web' },
} satisfies TextsField;
