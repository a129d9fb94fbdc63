import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** Largest body in bytes. */
export const BODY_LIMIT = 1024 * 1024;
const MAX_DEPTH = 32;
/** Members of these names would reach into the prototype of whatever the body is copied to, or into the class that it is checked against. */
const REACHING = new Set(['__proto__', 'constructor', 'prototype']);

/** A body that could not be read. The guard below raises it, after authentication: who has no key learns nothing. */
class UnreadableBody {
  constructor(readonly problem: Problem) {}
}

/** Where the raw bytes are kept for a signature: the provider's webhooks. */
const SIGNED = '/v1/provider/';
const RAW = Symbol('holdfast:raw-body');

type SignedRequest = FastifyRequest & { [RAW]?: Buffer };

/** The bytes of a signed request's body, as received. */
export function rawBody(request: FastifyRequest): Buffer {
  return (request as SignedRequest)[RAW] ?? Buffer.alloc(0);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Reads JSON objects, and refuses what PostgreSQL or a replay could not keep as it was sent. */
export function parseBody(bytes: Buffer): Record<string, unknown> {
  if (bytes.length === 0) return {};
  const body = parseJson(bytes);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed('The body must be a JSON object.');
  refuseUnstorable(body, 1);
  return body as Record<string, unknown>;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw malformed(error instanceof SyntaxError ? 'The body is not JSON.' : 'The body is not UTF-8.');
  }
}

function refuseUnstorable(value: unknown, depth: number): void {
  if (typeof value === 'string') return refuseUnstorableText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw malformed('A number is too large.');
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw malformed(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) {
    for (const element of value) refuseUnstorable(element, depth + 1);
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    if (REACHING.has(name)) throw malformed(`A member may not be named ${name}.`);
    refuseUnstorableText(name);
    refuseUnstorable(member, depth + 1);
  }
}

/** PostgreSQL's text holds no NUL (manual, section 8.3), and a lone surrogate has no UTF-8 form. */
function refuseUnstorableText(text: string): void {
  if (text.includes('\0')) throw malformed('A text holds the character NUL.');
  if (!text.isWellFormed()) throw malformed('A text holds a lone surrogate.');
}

function malformed(detail: string): Problem {
  return new Problem('malformed-json', detail);
}

/** Makes Fastify read bodies this way, whatever their media type says; a body that can't be read is kept for the guard. */
export function readBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(/^application\/json\s*(;|$)/i, { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (request, bytes, done) => {
    done(
      null,
      attempt(() => readJson(request, bytes as Buffer)),
    );
  });
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, bytes, done) => {
    done(null, bytes.length === 0 ? {} : new UnreadableBody(unsupported()));
  });
  // A request without a body has no parser; actions take that for an empty object.
  fastify.addHook('preValidation', (request, _reply, done) => {
    request.body ??= {};
    done();
  });
}

function readJson(request: FastifyRequest, bytes: Buffer): unknown {
  if (request.url.startsWith(SIGNED)) (request as SignedRequest)[RAW] = bytes;
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw unsupported();
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw unsupported();
  return parseBody(bytes);
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem) return new UnreadableBody(error);
    throw error;
  }
}

function unsupported(): Problem {
  return new Problem('unsupported-media-type', 'The body must be application/json in UTF-8, not compressed.');
}

/** Stands behind the access guard. */
@Injectable()
export class ReadableBodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body instanceof UnreadableBody) throw body.problem;
    return true;
  }
}
