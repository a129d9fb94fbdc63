import { PROBLEMS } from '../http/problem-table.js';
import { RETRY_REASONS } from '../idempotency/index.js';
import { EXAMPLE_ID, KEY_PATTERN } from './fields.js';
import type { Header, Parameter, Ref, SchemaObject } from './types.js';

/** A fresh key, as the examples send it. */
export const EXAMPLE_KEY = '019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14';
export const EXAMPLE_REQUEST_ID = '019bc0fd-8a40-7c11-8e5c-6a3f2d9b7e01';

/** The security scheme, as every operation but the public ones refers to it. */
export const API_KEY = 'apiKey';

/** A text in a header. `examples` of the schema, not `example` of the parameter: Swagger UI would send that one unasked. */
const text = (schema: Partial<SchemaObject> = {}): SchemaObject => ({ type: 'string', ...schema });

/** Parameters that operations share, by their names in `components`. */
export const PARAMETERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description:
      'Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every ' +
      'try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) ' +
      'or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.',
    schema: text({
      pattern: KEY_PATTERN,
      examples: [EXAMPLE_KEY, `"${EXAMPLE_KEY}"`],
    }),
    example: EXAMPLE_KEY,
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description:
      '`wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. ' +
      '`handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked ' +
      'under another key a moment ago.',
    schema: text({ examples: ['wait=10', 'handling=lenient'] }),
  },
  RetryAttempt: {
    name: 'Retry-Attempt',
    in: 'header',
    description: 'Which try this is, counted from 1. It is recorded and changes nothing else.',
    schema: text({ pattern: '^[1-9][0-9]{0,8}$', examples: ['2'] }),
  },
  RetryReason: {
    name: 'Retry-Reason',
    in: 'header',
    description: 'Why the client tries again. It is recorded and changes nothing else.',
    schema: text({ enum: [...RETRY_REASONS] }),
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: true,
    description: 'ETag of the version that the change is meant for (RFC 9110, section 13.1.1).',
    schema: text(),
    example: '"1"',
  },
  IfMatchIfAny: {
    name: 'If-Match',
    in: 'header',
    description:
      'ETag of the version that the change is meant for, or `*` for any (RFC 9110, section 13.1.1); without it for whatever is there.',
    schema: text({ examples: ['"1"'] }),
  },
  IfNoneMatchOfChange: {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: only where there is nothing yet (RFC 9110, section 13.1.2).',
    schema: text({ examples: ['*'] }),
  },
  RequestDeadline: {
    name: 'Request-Deadline',
    in: 'header',
    description:
      'Until when it is wanted: an HTTP date, or 1 to 86400 seconds from the arrival of the first request, by the database’s clock. What ' +
      'arrives later is not executed (409 `deadline-passed`). It is no part of what the key stands for; that of the first request counts.',
    schema: text({ examples: ['30', 'Thu, 15 Jan 2026 09:30:30 GMT'] }),
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETag of the version that the client has: when it is still the present one, the answer is 304 without a body.',
    schema: text({ examples: ['"1"'] }),
  },
} satisfies Record<string, Parameter>;

/** Response headers, by their names on the wire. */
export const HEADERS: Record<string, Header & { example: string }> = {
  'X-Request-Id': {
    description: 'Names this request in logs: the one that was sent, when it is a sane token, else a made one.',
    schema: text(),
    example: EXAMPLE_REQUEST_ID,
  },
  'Idempotency-Key': { description: 'The key as it was received.', schema: text(), example: EXAMPLE_KEY },
  'Idempotency-Expires': {
    description: 'Until when the answer is kept under this key (an HTTP date).',
    schema: text(),
    example: 'Fri, 16 Jan 2026 09:30:00 GMT',
  },
  'Operation-Id': { description: 'The operation that this key began.', schema: text(), example: EXAMPLE_ID.op },
  'Idempotent-Replayed': {
    description: '`true` on a stored answer: status, headers and body are those of the first one, byte for byte. Absent on the first.',
    schema: text({ enum: ['true'] }),
    example: 'true',
  },
  'Preference-Applied': { description: 'The preference of `Prefer` that was honoured.', schema: text(), example: 'wait=10' },
  Location: { description: 'Path of what was made.', schema: text({ format: 'uri-reference' }), example: `/v1/orders/${EXAMPLE_ID.ord}` },
  ETag: { description: 'Version of the resource; send it in If-Match or If-None-Match.', schema: text(), example: '"1"' },
  Link: {
    description: 'With `rel="related"`, what an earlier request made (RFC 8288).',
    schema: text(),
    example: `</v1/orders/${EXAMPLE_ID.ord}>; rel="related"`,
  },
  'Retry-After': {
    description: 'Whole seconds after which the same key may get another answer without any change by the client.',
    schema: text({ pattern: '^[1-9][0-9]*$' }),
    example: '1',
  },
  'RateLimit-Policy': {
    description: 'How many requests (`q`) an account may send in so many seconds (`w`).',
    schema: text(),
    example: '"default";q=60000;w=60',
  },
  RateLimit: {
    description: 'How many are left (`r`), and in how many seconds all of them are there again (`t`).',
    schema: text(),
    example: '"default";r=59999;t=60',
  },
  Vary: { description: 'What else the answer depends on (RFC 9110, section 12.5.5).', schema: text(), example: 'accept' },
  'WWW-Authenticate': { description: 'How to authenticate (RFC 6750).', schema: text(), example: 'Bearer realm="holdfast"' },
};

/** RFC 9457, with the extensions of this service. Some problems have further members, for example the payment that was declined. */
export const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'An error (RFC 9457). A client that obeys `retry` alone ends every failure with one effect.',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'retry'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Address of a page that explains the problem.' },
    title: { type: 'string', description: 'The same for every problem of this type.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What was wrong this time.' },
    instance: { type: 'string', format: 'uri-reference', description: 'The path that was asked, or the operation that ended this way.' },
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'The last part of `type`, for programs.' },
    retry: {
      type: 'string',
      enum: ['same-key', 'new-key', 'never'],
      description:
        '`same-key`: send it again unchanged, with the same key, after Retry-After. `new-key`: the outcome of this key is final, another ' +
        'try of the intent takes a new key. `never`: don’t send it again as it is.',
    },
    requestId: { type: 'string', description: 'X-Request-Id of the request that the problem arose in.' },
    operationId: { type: 'string', description: 'The operation, where there is one.' },
    errors: {
      type: 'array',
      description: 'What is wrong with the request, one entry for each place.',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) to the member, or the name of a parameter.' },
          detail: { type: 'string' },
        },
      },
    },
  },
} satisfies SchemaObject;

export function parameterRef(name: keyof typeof PARAMETERS): Ref {
  return { $ref: `#/components/parameters/${name}` };
}

export function headerRef(name: string): Ref {
  if (!Object.hasOwn(HEADERS, name)) throw new Error(`the response header ${name} is not described`);
  return { $ref: `#/components/headers/${name}` };
}
