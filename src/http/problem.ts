import { RETRY_AFTER } from '../idempotency/index.js';
import { PROBLEMS, type ProblemCode, type RetryVerdict } from './problem-table.js';

/** One wrong member of a request. */
export interface FieldError {
  /** JSON pointer (RFC 6901) into the body, or the name of a parameter. */
  pointer: string;
  detail: string;
}

/** What a problem says beyond its table entry. */
export interface ProblemOptions {
  errors?: FieldError[];
  /** Extension members, for example the payment that was declined. */
  members?: Record<string, unknown>;
  /** Target of a `Link` header with `rel="related"`. */
  link?: string | undefined;
  operationId?: string | undefined;
  /** Whole seconds until another try is worth it, where more than one. */
  retryAfter?: number;
  cause?: unknown;
}

/** An error whose answer is known. Throw it wherever the request can't go on. */
export class Problem extends Error {
  readonly status: number;
  readonly retry: RetryVerdict;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.status = PROBLEMS[code].status;
    this.retry = PROBLEMS[code].retry;
  }

  /** True when it is the outcome of an execution, and so is stored under the key; false when the key stays unused. */
  get final(): boolean {
    return this.retry !== 'same-key' && !BEFORE_EXECUTION.has(this.status) && !OF_THE_KEY.has(this.code);
  }
}

/** That the account has no such thing, be it that nobody has it: whose it is says nothing. */
export function noSuch(thing: string): Problem {
  return new Problem('not-found', `This account has no such ${thing}.`);
}

/** Statuses of requests that never came to be executed, or of which nothing stayed (424). */
const BEFORE_EXECUTION = new Set([400, 401, 403, 408, 413, 415, 424, 428, 429]);
/** These are about what the key stands for already. */
const OF_THE_KEY = new Set<ProblemCode>(['idempotency-key-expired', 'idempotency-key-reused', 'idempotency-key-sealed']);

/** What ties a problem to the request or the operation that met it. */
export interface ProblemContext {
  instance: string;
  requestId: string | null;
  operationId?: string | undefined;
}

/** Media type of problems (RFC 9457, section 3). */
export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** The members of a problem document (RFC 9457, section 3.1), in the order in which they are sent. */
export function problemDocument(problem: Problem, context: ProblemContext): Record<string, unknown> {
  const { code, status, detail, retry, options } = problem;
  return {
    type: `/problems/${code}`,
    title: PROBLEMS[code].title,
    status,
    detail,
    instance: context.instance,
    code,
    retry,
    requestId: context.requestId ?? undefined,
    operationId: context.operationId ?? options.operationId,
    errors: options.errors,
    ...options.members,
  };
}

/** A problem as a response. */
export function renderProblem(
  problem: Problem,
  context: ProblemContext,
): { status: number; headers: Record<string, string>; body: string } {
  const { status, retry, options } = problem;
  return {
    status,
    headers: {
      'content-type': PROBLEM_JSON,
      ...(retry === 'same-key' && { 'retry-after': String(options.retryAfter ?? RETRY_AFTER) }),
      ...(options.link && { link: `<${options.link}>; rel="related"` }),
    },
    body: JSON.stringify(problemDocument(problem, context)),
  };
}
