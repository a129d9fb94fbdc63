import { ArgumentsHost, Catch, ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdempotencyRefusal, isTransient } from '../idempotency/index.js';
import { ANSWER_HEADERS } from './answer-headers.js';
import { answerThenDiscard, isStillWriting, isWritingMuch } from './linger.js';
import { isProblemCode, type ProblemCode } from './problem-table.js';
import { Problem, renderProblem } from './problem.js';

const log = new Logger('Problem');

/** Codes for the statuses that Nest and Fastify raise by themselves. */
const BY_STATUS: Record<number, ProblemCode> = {
  400: 'invalid-request',
  401: 'unauthenticated',
  403: 'insufficient-scope',
  404: 'not-found',
  413: 'payload-too-large',
  414: 'invalid-request',
  415: 'unsupported-media-type',
  431: 'invalid-request',
  503: 'service-unavailable',
};

/** The one way from any error to a problem. Nothing of an unexpected error but its being one is told to the client. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof IdempotencyRefusal && isProblemCode(error.code)) {
    return new Problem(error.code, error.message, {
      operationId: error.operationId,
      link: error.code === 'possible-duplicate' ? `/v1/operations/${error.operationId}` : error.resource,
      cause: error.cause,
    });
  }
  if (isTransient(error)) return new Problem('service-unavailable', 'The database cannot do this at the moment.', { cause: error });
  const status = statusOf(error);
  const code = status === undefined ? undefined : BY_STATUS[status];
  if (code) return new Problem(code, DETAILS[code] ?? (error as Error).message, { cause: error });
  return new Problem('internal-error', 'The request could not be completed.', { cause: error });
}

/** Words for errors whose own message names the framework's inside. */
const DETAILS: Partial<Record<ProblemCode, string>> = {
  'not-found': 'There is nothing at this address.',
  'payload-too-large': 'The body is larger than 1 MiB.',
  'unsupported-media-type': 'The body must be application/json, not compressed.',
  'invalid-request': 'The request could not be read.',
};

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Answers every error of a request as application/problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Also used for errors that Fastify raises before Nest is reached. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  if (problem.code === 'internal-error') log.error({ err: problem.options.cause ?? error, requestId: request.id }, problem.message);
  else if (problem.status >= 500) log.warn({ cause: causeOf(problem), requestId: request.id }, problem.message);
  if (reply.sent) return;
  // Errors before the hooks, a broken URL for example, have not got them yet.
  void reply.header('x-request-id', request.id).headers(ANSWER_HEADERS);
  const { status, headers, body } = renderProblem(problem, { instance: pathOf(request.url), requestId: request.id });
  void reply.status(status).headers(headers);
  const bytes = Buffer.from(body);
  if (!isStillWriting(request.raw)) return void reply.send(bytes);
  if (isWritingMuch(request.raw)) void reply.header('connection', 'close');
  void reply.header('content-length', bytes.length).send(answerThenDiscard(bytes, request.raw));
}

/** What the core stores for a refusal that a handler threw; its instance is the operation, since it will be sent again. */
export function renderFinal(
  error: unknown,
  { operationId, traceId }: { operationId: string; traceId: string | null },
): { status: number; headers: Record<string, string>; body: string } | 'not-final' {
  const problem = problemOf(error);
  if (!problem.final) return 'not-final';
  const rendered = renderProblem(problem, { instance: `/v1/operations/${operationId}`, requestId: traceId, operationId });
  return { ...rendered, headers: { ...rendered.headers, 'operation-id': operationId } };
}

/** Why the service is not available, in a word; the request itself is fine. */
function causeOf({ options: { cause } }: Problem): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
