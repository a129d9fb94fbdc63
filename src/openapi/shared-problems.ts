import { scopeMissing, unauthenticated } from '../accounts/access.guard.js';
import { IdempotencyRefusal, type RefusalCode } from '../idempotency/index.js';
import { tooLarge, unsupportedMedia } from '../http/body.js';
import { versionMissing, versionStale } from '../http/etag.js';
import { Problem } from '../http/problem.js';
import { problemOf } from '../http/problem.filter.js';
import { invalid } from '../http/validation.js';
import { EXAMPLE_ID } from './fields.js';
import type { DocumentedRoute } from './routes.js';

/** What of a request decides which refusals it can meet. */
export interface Traits {
  hasBody: boolean;
  hasQuery: boolean;
  hasPathParameters: boolean;
  needsIfMatch: boolean;
  /** Path of what the operation made, for the Link of an expired key. */
  resource: string;
}

/** Every problem that an operation can answer: those of its own, and those that it shares with others of its kind. */
export function problemsOf({ api, idempotent, scope }: DocumentedRoute, traits: Traits): Problem[] {
  const own = api.problems ?? [];
  const shared = [
    ...requestProblems(traits),
    ...(scope ? accessProblems(scope) : []),
    ...(idempotent ? keyProblems(traits.resource) : []),
    ...(idempotent?.duplicateWindowMs === undefined
      ? []
      : [problemOf(new IdempotencyRefusal('possible-duplicate', { operationId: EXAMPLE_ID.op }))]),
    ...(traits.needsIfMatch ? [versionStale(2), versionMissing()] : []),
    new Problem('internal-error', 'The request could not be completed.'),
  ];
  const taken = new Set(own.map(({ code }) => code));
  return [...own, ...shared.filter(({ code }) => !taken.has(code))].toSorted((one, other) => one.status - other.status);
}

function requestProblems({ hasBody, hasQuery, hasPathParameters }: Traits): Problem[] {
  if (hasBody) {
    return [
      invalid([{ pointer: '/colour', detail: 'is not a known member' }]),
      new Problem('malformed-json', 'The body is not JSON.'),
      new Problem('request-timeout', 'The body did not come to its end in time.'),
      tooLarge(),
      unsupportedMedia(),
    ];
  }
  if (hasQuery) return [invalid([{ pointer: '/limit', detail: 'must not be greater than 100' }])];
  return hasPathParameters ? [new Problem('invalid-request', 'The request could not be read.')] : [];
}

function accessProblems(scope: string): Problem[] {
  return [
    unauthenticated(),
    scopeMissing(scope),
    new Problem('rate-limited', 'This account has sent too many requests.', { retryAfter: 23 }),
    new Problem('service-unavailable', 'The database cannot be reached at this moment.'),
  ];
}

function keyProblems(resource: string): Problem[] {
  const refusal = (code: RefusalCode): Problem =>
    problemOf(new IdempotencyRefusal(code, code === 'idempotency-key-expired' ? { operationId: EXAMPLE_ID.op, resource } : {}));
  return [
    refusal('idempotency-key-missing'),
    refusal('idempotency-key-invalid'),
    refusal('idempotency-request-in-progress'),
    refusal('idempotency-key-sealed'),
    refusal('idempotency-key-expired'),
    refusal('idempotency-key-reused'),
    refusal('rate-limited'),
  ];
}
