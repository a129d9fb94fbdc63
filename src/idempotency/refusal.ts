import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';

/** Whole seconds after which the same key may get another answer, where nothing else is known: what `Retry-After` says. */
export const RETRY_AFTER = 1;

/** `same-key`: send it again unchanged; `new-key`: this key's outcome is final; `never`: don't send it again as it is. */
export type RetryVerdict = 'same-key' | 'new-key' | 'never';

/** What each refusal of the core means on the wire; the codes are stable, an application may render them as it likes. */
const REFUSALS = {
  'idempotency-key-missing': { status: 400, retry: 'never', detail: 'This request needs an Idempotency-Key header.' },
  'idempotency-key-invalid': {
    status: 400,
    retry: 'never',
    detail: 'The Idempotency-Key must be sent once, with 1 to 255 visible ASCII characters.',
  },
  'content-digest-required': {
    status: 400,
    retry: 'never',
    detail: 'The body of this request is not read as JSON, so it needs a Content-Digest header with its sha-256 or sha-512.',
  },
  'content-digest-mismatch': { status: 400, retry: 'never', detail: 'The body is not the one that the Content-Digest header names.' },
  'idempotency-request-in-progress': { status: 409, retry: 'same-key', detail: 'A request with this Idempotency-Key is still running.' },
  'idempotency-key-reused': {
    status: 422,
    retry: 'never',
    detail: 'This Idempotency-Key was used before with another method, path or payload.',
  },
  'idempotency-key-sealed': {
    status: 409,
    retry: 'new-key',
    detail: 'This Idempotency-Key was sealed before it was used: no request with it is executed.',
  },
  'possible-duplicate': { status: 409, retry: 'never', detail: 'The same request was made a moment ago under another Idempotency-Key.' },
  'idempotency-key-expired': {
    status: 410,
    retry: 'never',
    detail: 'The window of this Idempotency-Key has passed; the request is not executed again.',
  },
  'rate-limited': {
    status: 429,
    retry: 'same-key',
    detail: 'Too many requests of this account wait for their turn. The same key is safe to send again.',
  },
  'service-unavailable': {
    status: 503,
    retry: 'same-key',
    detail: 'The outcome could not be stored or read at this moment. The same key is safe to send again.',
  },
} as const satisfies Record<string, { status: number; retry: RetryVerdict; detail: string }>;

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
 * still answers the right status; `code` and `retry` are for those that have one.
 */
export class IdempotencyRefusal extends HttpException {
  readonly operationId: string | undefined;
  readonly resource: string | undefined;
  readonly retry: RetryVerdict;
  private isProblem = false;

  constructor(
    readonly code: RefusalCode,
    context: RefusalContext = {},
  ) {
    const { status, detail, retry } = REFUSALS[code];
    const { operationId, resource, cause } = context;
    super({ statusCode: status, code, message: detail, retry, operationId }, status, { cause });
    this.message = detail;
    this.operationId = operationId;
    this.resource = resource;
    this.retry = retry;
  }

  /** Its headers: `Retry-After`, in seconds, where the same key may get another answer; `Link` to what the first request made, where that is known. */
  get headers(): Record<string, string> {
    return {
      ...(this.isProblem && { 'content-type': 'application/problem+json; charset=utf-8' }),
      ...(this.retry === 'same-key' && { 'retry-after': String(RETRY_AFTER) }),
      ...(this.resource !== undefined && { link: `<${this.resource}>; rel="related"` }),
    };
  }

  /** From here on its response is a problem document (RFC 9457), of the type `about:blank`. */
  becomeProblem(): void {
    this.isProblem = true;
  }

  override getResponse(): string | object {
    if (!this.isProblem) return super.getResponse();
    const { code, retry, operationId, message: detail } = this;
    const status = this.getStatus();
    return { title: STATUS_CODES[status], status, detail, code, retry, operationId };
  }
}
