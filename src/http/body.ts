import { CanActivate, ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { IDEMPOTENT } from '../idempotency/index.js';
import { BodyReader } from './body-reader.js';
import { BODY_LIMIT, largestBody } from './body-size.js';
import { readJsonObject } from './json.js';
import { Problem } from './problem.js';

/** Bodies that have arrived in part hold so many bytes together, in one process. */
const HALF_SENT_LIMIT = 128 * BODY_LIMIT;

/** GET and its like have no body that means anything (RFC 9110, section 9.3.1). */
const BODYLESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** What Fastify takes for a media type: for anything else it has an answer of its own. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;
/** Stands for a media type that is none: it is refused like any other that is not JSON. */
const UNREADABLE_TYPE = 'application/octet-stream';
const JSON_TYPE = /^application\/json\s*(;|$)/i;

const OWN_BODY = 'holdfast:own-body';

/** A route that reads its body by a `BodyReader` of its own, once it knows who sends it. */
export const ReadsOwnBody = (): MethodDecorator => SetMetadata(OWN_BODY, true);

/** Why a body is refused. Of one with doubled members the parsed value stands here, of others a stand-in. */
const refusals = new WeakMap<object, Problem>();

/**
 * Stands in the pipe of every body: what came with a key that was used before is judged by that key, damaged as it may be, and
 * only then by itself.
 * @throws Problem for a body that could not be read
 */
export function refuseUnreadable(body: unknown): void {
  const refusal = typeof body === 'object' && body !== null ? refusals.get(body) : undefined;
  if (refusal) throw refusal;
}

/** Leaves every body where it is, whatever its media type says: the guard below reads it, once it is known who sends it. */
export function leaveBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  // Fastify answers a media type that is none by itself, before anybody has asked who sends it.
  fastify.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
    const type = headers['content-type'];
    if (type !== undefined && !MEDIA_TYPE.test(type)) headers['content-type'] = UNREADABLE_TYPE;
    done();
  });
}

/**
 * Reads the body. It stands behind the access guard: a stranger's body is not read, and a stranger learns nothing about it.
 * One that can't be read is refused here, or under an Idempotency-Key by the pipe.
 */
@Injectable()
export class BodyGuard implements CanActivate {
  private readonly bodies = new BodyReader(HALF_SENT_LIMIT);

  constructor(private readonly reflector: Reflector) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (BODYLESS.has(request.method) || this.reflector.get<unknown>(OWN_BODY, context.getHandler())) return true;
    const bytes = await this.bodies.receive(request.raw, http.getResponse<FastifyReply>().raw);
    const body = read(request, bytes, largestBody(context.getClass(), context.getHandler().name));
    request.body = body;
    if (!this.reflector.get<unknown>(IDEMPOTENT, context.getHandler())) refuseUnreadable(body);
    return true;
  }
}

/** That the body is beyond BODY_LIMIT. */
export function tooLarge(): Problem {
  return new Problem('payload-too-large', 'The body is larger than 1 MiB.');
}

/** That nobody here reads such a body. */
export function unsupportedMedia(): Problem {
  return new Problem('unsupported-media-type', 'The body must be application/json in UTF-8, not compressed.');
}

/** The body, or what stands in its place until it is refused. */
function read(request: FastifyRequest, bytes: Buffer | undefined, maxValues: number): object {
  try {
    if (bytes === undefined) throw tooLarge();
    const { body, doubled } = readJson(request, bytes, maxValues);
    if (doubled) refusals.set(body, new Problem('malformed-json', 'A member is named twice.'));
    return body;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // No readable body has a member of this name, so its fingerprint is that of no stored request.
    const standIn = { '\0': 'unreadable' };
    refusals.set(standIn, error);
    return standIn;
  }
}

function readJson(request: FastifyRequest, bytes: Buffer, maxValues: number): ReturnType<typeof readJsonObject> {
  if (bytes.length === 0) return readJsonObject(bytes, maxValues);
  const { 'content-type': type, 'content-encoding': encoding } = request.headers;
  if (!JSON_TYPE.test(type ?? '') || (encoding !== undefined && encoding.toLowerCase() !== 'identity')) {
    throw unsupportedMedia();
  }
  return readJsonObject(bytes, maxValues);
}
