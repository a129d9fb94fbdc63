import { SpanKind, type Attributes } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { knownCallerOf } from '../accounts/access.guard.js';
import { parseKey, type RequestOutcome } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { finish, linkTo, type Present, type SpanStart, type Spans } from './spans.js';
import { operationOf, toldOf } from './told.js';

/** What machines ask every few seconds. */
const UNTRACED = new Set(['/health/live', '/health/ready', '/metrics']);

/** Each request is a span: inside of the client's, where it sends a traceparent. */
export function traceRequests(fastify: FastifyInstance, spans: Spans, keyHash: KeyHash): void {
  const begun = new WeakMap<FastifyRequest, Present>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (route !== undefined && UNTRACED.has(route)) return done();
    const { traceparent } = request.headers;
    const { span } = spans.start(startOf(request, route), typeof traceparent === 'string' ? traceparent : undefined);
    const present: Present = { span, about: keyHashOf(request, keyHash) };
    begun.set(request, present);
    spans.run(present, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const present = begun.get(request);
    const { statusCode } = reply;
    if (present?.span.isRecording())
      finish(present.span, {
        attributes: { ...told(request, reply), ...present.about() },
        failure: statusCode >= 500 ? String(statusCode) : undefined,
      });
    done();
  });
}

/** Links the request whose flow this is to the one whose answer it got. */
export function linkToOriginal(spans: Spans, { ms, traceparent }: RequestOutcome): void {
  const span = spans.current?.span;
  // Of an item of a batch the span is the batch's.
  if (ms !== undefined && span?.isRecording()) linkTo(span, traceparent);
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

function told(request: FastifyRequest, reply: FastifyReply): Attributes {
  const caller = knownCallerOf(request);
  const outcome = toldOf(request)?.outcome;
  const operationId = operationOf(request, reply);
  return {
    'http.response.status_code': reply.statusCode,
    'holdfast.request.id': request.id,
    ...(caller && { 'holdfast.account.id': publicId('acct', caller.accountId) }),
    ...(outcome !== undefined && { 'holdfast.outcome': outcome }),
    ...(operationId !== undefined && { 'holdfast.operation.id': operationId }),
  };
}

/** The hash of the request's key, once it is known whose it is: the statements that find that out have none. Made once. */
function keyHashOf(request: FastifyRequest, keyHash: KeyHash): () => Attributes {
  let made: Attributes | undefined;
  return () => {
    const caller = knownCallerOf(request);
    if (!caller || made) return made ?? {};
    const key = keyIn(request.headers['idempotency-key']);
    made = key === undefined ? {} : { 'holdfast.key.hash': keyHash(publicId('acct', caller.accountId), key) };
    return made;
  };
}

/** The key as it is compared; undefined where it is none. */
function keyIn(header: unknown): string | undefined {
  try {
    return typeof header === 'string' ? parseKey(header) : undefined;
  } catch {
    return undefined;
  }
}
