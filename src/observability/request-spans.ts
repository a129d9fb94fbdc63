import { SpanKind, type Attributes, type Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { knownCallerOf } from '../accounts/access.guard.js';
import { parseKey, type RequestOutcome } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { finish, linkTo, type SpanStart, type Spans } from './spans.js';

/** What machines ask every few seconds. */
const UNTRACED = new Set(['/health/live', '/health/ready', '/metrics']);

/** Each request is a span: inside of the client's, where it sends a traceparent. */
export function traceRequests(fastify: FastifyInstance, spans: Spans, keyHash: KeyHash): void {
  const begun = new WeakMap<FastifyRequest, Span>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (route !== undefined && UNTRACED.has(route)) return done();
    const { traceparent } = request.headers;
    const present = spans.start(startOf(request, route), typeof traceparent === 'string' ? traceparent : undefined);
    begun.set(request, present.span);
    spans.run(present, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = begun.get(request);
    const { statusCode } = reply;
    if (span?.isRecording())
      finish(span, { attributes: told(request, reply, keyHash), failure: statusCode >= 500 ? String(statusCode) : undefined });
    done();
  });
}

/** What became of the request whose flow this is; one that got another's answer is linked to it. */
export function linkToOriginal(spans: Spans, { outcome, ms, traceparent }: RequestOutcome): void {
  // An item of a batch: the span is the batch's.
  if (ms === undefined) return;
  const span = spans.current?.span;
  if (!span?.isRecording()) return;
  span.setAttribute('holdfast.outcome', outcome);
  linkTo(span, traceparent);
}

/** The route alone: a path and a query may hold what a client should not have put there. */
function startOf(request: FastifyRequest, route: string | undefined): SpanStart {
  const { method } = request;
  return {
    name: route === undefined ? method : `${method} ${route}`,
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': method, ...(route !== undefined && { 'http.route': route }) },
  };
}

function told(request: FastifyRequest, reply: FastifyReply, keyHash: KeyHash): Attributes {
  const caller = knownCallerOf(request);
  const operationId = reply.getHeader('operation-id');
  return {
    'http.response.status_code': reply.statusCode,
    'holdfast.request.id': request.id,
    ...(caller && ofAccount(publicId('acct', caller.accountId), request, keyHash)),
    ...(typeof operationId === 'string' && { 'holdfast.operation.id': operationId }),
  };
}

function ofAccount(account: string, { headers }: FastifyRequest, keyHash: KeyHash): Attributes {
  const key = keyIn(headers['idempotency-key']);
  return { 'holdfast.account.id': account, ...(key !== undefined && { 'holdfast.key.hash': keyHash(account, key) }) };
}

/** The key as it is compared; undefined where it is none. */
function keyIn(header: unknown): string | undefined {
  try {
    return typeof header === 'string' ? parseKey(header) : undefined;
  } catch {
    return undefined;
  }
}
