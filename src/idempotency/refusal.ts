import { HttpException } from '@nestjs/common';

/** Whole seconds after which the same key may get another answer, where nothing else is known: what `Retry-After` says. */
export const RETRY_AFTER = 1;

/** What each refusal of the core means on the wire; the codes are stable, an application may render them as it likes. */
const REFUSALS = {
  'idempotency-key-missing': { status: 400, detail: 'This request needs an Idempotency-Key header.' },
  'idempotency-key-invalid': { status: 400, detail: 'The Idempotency-Key must be sent once, with 1 to 255 visible ASCII characters.' },
  'content-digest-required': {
    status: 400,
    detail: 'The body of this request is not read as JSON, so it needs a Content-Digest header with its sha-256 or sha-512.',
  },
  'content-digest-mismatch': { status: 400, detail: 'The body is not the one that the Content-Digest header names.' },
  'idempotency-request-in-progress': { status: 409, detail: 'A request with this Idempotency-Key is still running.' },
  'idempotency-key-reused': { status: 422, detail: 'This Idempotency-Key was used before with another method, path or payload.' },
  'idempotency-key-sealed': { status: 409, detail: 'This Idempotency-Key was sealed before it was used: no request with it is executed.' },
  'possible-duplicate': { status: 409, detail: 'The same request was made a moment ago under another Idempotency-Key.' },
  'idempotency-key-expired': { status: 410, detail: 'The window of this Idempotency-Key has passed; the request is not executed again.' },
  'rate-limited': { status: 429, detail: 'Too many requests of this account wait for their turn. The same key is safe to send again.' },
  'service-unavailable': {
    status: 503,
    detail: 'The outcome could not be stored or read at this moment. The same key is safe to send again.',
  },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** What a refusal knows beyond its code. */
export interface RefusalContext {
  /** Public id (`op_…`) of the operation that holds the key, or of the one that a possible duplicate repeats. */
  operationId?: string | undefined;
  /** Path of what the first request made, for a `Link` header. */
  resource?: string | undefined;
  cause?: unknown;
}

/**
 * The core refuses a request. It extends Nest's HttpException, so an application without a filter of its own
 * still answers the right status; `code` is for those that have one.
 */
export class IdempotencyRefusal extends HttpException {
  readonly operationId: string | undefined;
  readonly resource: string | undefined;

  constructor(
    readonly code: RefusalCode,
    context: RefusalContext = {},
  ) {
    const { status, detail } = REFUSALS[code];
    super({ statusCode: status, code, message: detail }, status, { cause: context.cause });
    this.message = detail;
    this.operationId = context.operationId;
    this.resource = context.resource;
  }
}
