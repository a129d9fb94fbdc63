import type { RetryVerdict } from '../idempotency/index.js';

export type { RetryVerdict };

interface ProblemEntry {
  status: number;
  title: string;
  retry: RetryVerdict;
  /** What happened, for the page that the problem's `type` leads to. */
  meaning: string;
  /** What the client should do. */
  advice: string;
}

/** The single table of problems: HTTP status, words and verdict of every code that this service answers. */
export const PROBLEMS = {
  'invalid-request': {
    status: 400,
    title: 'The request is not valid',
    retry: 'never',
    meaning:
      'A member, parameter or header is missing, unknown, outside its limits or holds a card number; `errors` names each by a JSON pointer.',
    advice: 'Correct the request and send it again. Nothing was stored: the same Idempotency-Key may be used for the corrected request.',
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not the JSON that this service reads',
    retry: 'never',
    meaning:
      'The body is no JSON object in UTF-8, is nested deeper than 32 levels, names a member twice, or holds text that cannot be stored (NUL, lone surrogates).',
    advice: 'Send one well-formed JSON object. Nothing was stored.',
  },
  'idempotency-key-missing': {
    status: 400,
    title: 'An Idempotency-Key is needed',
    retry: 'never',
    meaning: 'This route changes something, so it takes an Idempotency-Key header; without one a retry could act twice.',
    advice: 'Make a fresh key, a UUIDv7 for example, for each thing you want done, and send it with every try of that thing.',
  },
  'idempotency-key-invalid': {
    status: 400,
    title: 'The Idempotency-Key is malformed',
    retry: 'never',
    meaning: 'The header must be sent once and hold 1 to 255 visible ASCII characters, bare or as a quoted RFC 9651 string.',
    advice: 'Send a well-formed key. Nothing was stored.',
  },
  unauthenticated: {
    status: 401,
    title: 'Authentication failed',
    retry: 'never',
    meaning: 'The Authorization header is missing or its API key is unknown, expired or revoked.',
    advice: 'Send `Authorization: Bearer <API key>` with a valid key. The Idempotency-Key stays valid: keys of one account share it.',
  },
  'invalid-signature': {
    status: 401,
    title: 'The signature is not valid',
    retry: 'never',
    meaning: 'The signature, its time or its secret are not the ones that this webhook is signed with.',
    advice: 'Sign the raw body as Standard Webhooks describe, with the shared secret and the present time.',
  },
  'insufficient-scope': {
    status: 403,
    title: 'The API key lacks a scope',
    retry: 'never',
    meaning: 'The API key is valid, but does not carry the scope that this route asks for.',
    advice: 'Use a key with that scope.',
  },
  'payment-declined': {
    status: 402,
    title: 'The payment was declined',
    retry: 'new-key',
    meaning: 'The provider declined the charge; `payment.failureCode` says why. Nothing was charged.',
    advice: 'Ask the buyer for another way to pay, and try again with a new Idempotency-Key.',
  },
  'refund-declined': {
    status: 402,
    title: 'The refund was declined',
    retry: 'new-key',
    meaning: 'The provider declined to give the money back; `refund.failureCode` says why. Nothing was refunded, and nothing is reserved.',
    advice: 'Find out why, then refund again with a new Idempotency-Key, or give the money back another way.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    retry: 'never',
    meaning: 'There is no such route, or this account has no such resource.',
    advice: 'Check the address and the account that the API key belongs to.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    retry: 'same-key',
    meaning: 'The headers (10 seconds) or the body (30 seconds) did not come to their end in time. Nothing was executed or stored.',
    advice: 'Send it again unchanged, with the same Idempotency-Key, after Retry-After.',
  },
  'insufficient-stock': {
    status: 409,
    title: 'Not enough stock',
    retry: 'new-key',
    meaning: 'A product has less stock than was ordered, or than a change would take from it. Nothing was reserved or changed.',
    advice: 'Order or take less, or try again later under a new Idempotency-Key.',
  },
  'deadline-passed': {
    status: 409,
    title: 'The deadline has passed',
    retry: 'new-key',
    meaning:
      'The request arrived after its `Request-Deadline`, or its payment was not charged or not known to be charged by then. What was charged all the same is refunded.',
    advice: 'Whoever still wants it sends it again under a new Idempotency-Key: the order stays as it was and can be paid.',
  },
  'order-not-cancellable': {
    status: 409,
    title: 'The order cannot be cancelled',
    retry: 'never',
    meaning: 'The order is cancelled already, or in a state that has no way back.',
    advice: 'Read the order to see its status.',
  },
  'order-not-payable': {
    status: 409,
    title: 'The order cannot be paid',
    retry: 'never',
    meaning: 'The order is paid or cancelled already. A charge that succeeded after a cancellation was refunded; `payment` shows it.',
    advice: 'Read the order to see its status.',
  },
  'payment-in-progress': {
    status: 409,
    title: 'A payment of this order is under way',
    retry: 'same-key',
    meaning: 'Another payment of the order waits for the provider, so its outcome decides first. Nothing was stored for this request.',
    advice: 'Send it again unchanged after Retry-After.',
  },
  'refund-exceeds-payment': {
    status: 409,
    title: 'The refund exceeds the payment',
    retry: 'never',
    meaning: 'Together with earlier refunds, also those under way, more would go back than was paid.',
    advice: 'Read the payment to see what is left, and refund that at most.',
  },
  'webhook-endpoint-limit': {
    status: 409,
    title: 'Too many webhook endpoints',
    retry: 'new-key',
    meaning: 'An account has 16 webhook endpoints at most.',
    advice: 'Delete one that is not needed any more, or give one more types, and try again with a new Idempotency-Key.',
  },
  'secret-rotated-recently': {
    status: 409,
    title: 'The secret was rotated recently',
    retry: 'new-key',
    meaning: 'The secret before this one is valid for 24 hours; another rotation would end it too soon.',
    advice: 'Rotate again when these hours have passed, with a new Idempotency-Key. A secret that somebody stole: delete the endpoint.',
  },
  'operation-running': {
    status: 409,
    title: 'The operation is running',
    retry: 'same-key',
    meaning: 'Somebody has the operation in hand at this moment; only an interrupted one can be resumed.',
    advice: 'Look at it again after Retry-After.',
  },
  'not-under-review': {
    status: 409,
    title: 'The operation is not under review',
    retry: 'never',
    meaning:
      'A person decides only what is flagged for review: a payment or refund without an outcome, of which the provider can’t tell. Nothing of this operation is, or not any more.',
    advice: 'Read the operation to see how it stands.',
  },
  'idempotency-request-in-progress': {
    status: 409,
    title: 'The request is still running',
    retry: 'same-key',
    meaning: 'A request with this Idempotency-Key has been received and has not ended yet.',
    advice: 'Send it again unchanged after Retry-After, or with `Prefer: wait=N` to wait here for the result.',
  },
  'idempotency-key-sealed': {
    status: 409,
    title: 'The Idempotency-Key is sealed',
    retry: 'new-key',
    meaning:
      'Somebody of the account sealed this key before any request used it, so that none ever executes with it. This one was not executed.',
    advice: 'If the thing is still wanted, send it with a new key. Whoever sealed the key may have done it another way meanwhile.',
  },
  'possible-duplicate': {
    status: 409,
    title: 'The same request was made a moment ago under another key',
    retry: 'never',
    meaning:
      'The account sent the same request under another Idempotency-Key within the window of this route (`duplicateWindow`), and that one is running or succeeded. This one was not executed. What was declined, or given back since, does not count.',
    advice:
      'Follow the Link and see what the first one came to: most likely it is the one you meant. If you do want it a second time, send it with a new key and `Prefer: handling=lenient`.',
  },
  'idempotency-key-expired': {
    status: 410,
    title: 'The Idempotency-Key has expired',
    retry: 'never',
    meaning: 'The key was used and the time for which its response is kept has passed. The request was not executed again.',
    advice: 'Follow the Link, or look up the operation, to see what the first request made. A new intent takes a new key.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The resource has changed',
    retry: 'never',
    meaning: 'The If-Match header names another version than the present one, or If-None-Match what is there.',
    advice: 'Read the resource again, then send the change with its new ETag and, where the route takes one, a new Idempotency-Key.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is too large',
    retry: 'never',
    meaning: 'A body may have 1 MiB at most.',
    advice: 'Send less. Nothing was stored.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The media type is not supported',
    retry: 'never',
    meaning: 'Bodies are application/json in UTF-8 and are not compressed.',
    advice: 'Send `Content-Type: application/json` and no Content-Encoding.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    retry: 'never',
    meaning: 'This key was used with another method, path or payload. Nothing was executed.',
    advice: 'Use a fresh key for each intent; send a retry exactly as the first try.',
  },
  'unknown-product': {
    status: 422,
    title: 'A product is unknown',
    retry: 'never',
    meaning: 'The order names a product that is not in the catalogue of this account.',
    advice: 'Check the product ids against GET /v1/products.',
  },
  'total-mismatch': {
    status: 422,
    title: 'The total differs from the expected one',
    retry: 'never',
    meaning: 'The prices in the catalogue give another total than `expectedTotal`. Nothing was ordered.',
    advice: 'Read the prices again, show them to the buyer, and order with a new Idempotency-Key.',
  },
  'amount-mismatch': {
    status: 422,
    title: 'The amount differs from the order',
    retry: 'never',
    meaning: 'A payment must have the amount and the currency of its order. Nothing was charged.',
    advice: 'Read the order and pay its total, with a new Idempotency-Key.',
  },
  'currency-mismatch': {
    status: 422,
    title: 'The currency differs from the catalogue',
    retry: 'never',
    meaning: 'An account has one currency, and the request names another.',
    advice: 'Leave the currency out or send the one of the catalogue.',
  },
  'total-too-large': {
    status: 422,
    title: 'The total is too large',
    retry: 'never',
    meaning: 'An amount may be 999,999,999,999 minor units at most.',
    advice: 'Split the order.',
  },
  'stock-too-large': {
    status: 422,
    title: 'The stock is too large',
    retry: 'never',
    meaning: 'A change of stock may leave 1,000,000,000 pieces of a product at most. Nothing was changed.',
    advice: 'Add less, or use another product id for what is more.',
  },
  'batch-rolled-back': {
    status: 424,
    title: 'Another item of the batch failed',
    retry: 'never',
    meaning:
      'The batch is `atomic`, and another item of it failed, so this one was undone or not begun. Nothing was ordered, and the item’s key is unused.',
    advice:
      'Look at the item that failed, and send a corrected batch under a new Idempotency-Key. This item may stay as it is, with its own key.',
  },
  'precondition-required': {
    status: 428,
    title: 'If-Match is needed',
    retry: 'never',
    meaning: 'A change must say which version it is meant for, so that it does not overwrite another one.',
    advice: 'Read the resource and send its ETag in If-Match. Nothing was stored.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    retry: 'same-key',
    meaning:
      'The account has sent more requests than `RateLimit-Policy` allows or more of them than may wait for their turn, too many authentications of its address have failed, or too many payments of the order or the account were declined.',
    advice: 'Send it again unchanged, with the same Idempotency-Key, after Retry-After. Nothing was executed or stored.',
  },
  'internal-error': {
    status: 500,
    title: 'Something went wrong here',
    retry: 'same-key',
    meaning: 'An unexpected error. Whatever the request did was rolled back or will be finished under its key.',
    advice: 'Send it again unchanged, with the same Idempotency-Key, after Retry-After.',
  },
  'provider-unavailable': {
    status: 503,
    title: 'The payment provider cannot be reached',
    retry: 'same-key',
    meaning: 'The provider was surely not reached. Nothing was charged, nothing was stored, and nothing will follow.',
    advice: 'Send it again unchanged, with the same Idempotency-Key, after Retry-After.',
  },
  'service-unavailable': {
    status: 503,
    title: 'Not available at this moment',
    retry: 'same-key',
    meaning:
      'The database cannot be reached, all its connections are taken, or payments wait until a restored database is compared with the provider.',
    advice: 'Send it again unchanged, with the same Idempotency-Key, after Retry-After.',
  },
} as const satisfies Record<string, ProblemEntry>;

export type ProblemCode = keyof typeof PROBLEMS;

export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code);
}
