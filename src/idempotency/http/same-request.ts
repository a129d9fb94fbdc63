import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { IdempotencyRefusal } from '../refusal.js';
import { fingerprint, Opaque } from '../requests/fingerprint.js';
import { ContentDigest } from './content-digest.js';
import type { HttpRequest } from './platform.js';

/** What a route says of a request's being the same. */
export interface SameRequestRule {
  readsIfMatch: boolean;
  sameRequest?(request: unknown): unknown;
}

/** By what a request is known again. */
export interface Identity {
  fingerprint: string;
  /** By the rule of earlier, under which If-Match was part of every request; where that differs. */
  earlierFingerprint: string | undefined;
  /** To be called when the handler is done: @throws NotReached when the content was read, and is not what was said */
  verify: () => void;
}

/**
 * Method, path, query, `If-Match` where the route reads it, and the content; or what the route's function selects in the place of all but
 * method and path.
 * @throws IdempotencyRefusal `content-digest-required`, `content-digest-mismatch`
 * @throws Error when the function leaves out all that there is
 */
export function identityOf(request: HttpRequest, rule: SameRequestRule): Identity {
  const { method } = request;
  const url = request.originalUrl ?? request.url;
  if (rule.sameRequest) {
    const selected = rule.sameRequest(request);
    const [path = '', query] = url.split('?', 2);
    if (isEmpty(selected) && (query || isAnnounced(request))) throw new Error(NOTHING_LEFT);
    return { fingerprint: fingerprint({ method, url: path, ifMatch: undefined, body: selected }), earlierFingerprint: undefined, verify };
  }
  const content = contentOf(request);
  const ifMatch = request.headers['if-match']?.toString();
  const by = (considered: string | undefined): string => fingerprint({ method, url, ifMatch: considered, body: content.body });
  return {
    fingerprint: by(rule.readsIfMatch ? ifMatch : undefined),
    earlierFingerprint: rule.readsIfMatch || ifMatch === undefined ? undefined : by(ifMatch),
    verify: content.verify,
  };
}

/** A body that was parsed counts by its value, and any other one by its bytes; where they aren't at hand, by what the request says of them. */
function contentOf(request: HttpRequest): { body: unknown; verify: () => void } {
  const { body, headers } = request;
  const digest = ContentDigest.of(headers['content-digest']);
  const bytes = body instanceof Uint8Array ? body : request.rawBody;
  // Of a compressed body it is the digest of what was sent, and what is here was unpacked.
  if (bytes instanceof Uint8Array && (headers['content-encoding'] ?? 'identity') === 'identity') digest?.check(bytes);
  if (body instanceof Uint8Array) return { body: new Opaque(`sha-256 ${hash('sha256', body)}`), verify };
  if (!isElsewhere(request)) return { body, verify };
  if (!digest) throw new IdempotencyRefusal('content-digest-required');
  return { body: new Opaque(digest.text), verify: digest.follow(request.raw ?? (request as unknown as IncomingMessage)) };
}

const verify = (): void => undefined;

/** Whether the content, or a part of it, is not in `body`: nobody has read it yet, or files stand beside it. */
function isElsewhere(request: HttpRequest): boolean {
  const { body, headers } = request;
  if (!isAnnounced(request)) return false;
  if (body === undefined || (typeof body === 'object' && body !== null && 'pipe' in body)) return true;
  // Multer's and @fastify/multipart's.
  return String(headers['content-type']).startsWith('multipart/') && ['file', 'files', 'isMultipart'].some((name) => name in request);
}

function isAnnounced({ headers }: HttpRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isEmpty(selected: unknown): boolean {
  if (selected === undefined || selected === null || selected === '') return true;
  return typeof selected === 'object' && !(selected instanceof Date) && Object.values(selected).every((member) => member === undefined);
}

const NOTHING_LEFT =
  'sameRequest of an idempotent route leaves out everything of a request that has a body or a query: every other one under the same key would get its answer';
