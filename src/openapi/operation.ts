import type { ApiOptions } from './api.decorator.js';
import { API_KEY, parameterRef, type PARAMETERS } from './components.js';
import { deprecatedResponses, responsesOf } from './responses.js';
import type { DocumentedRoute } from './routes.js';
import type { Deprecation } from '../http/deprecation.js';
import type { Problem } from '../http/problem.js';
import { problemsOf } from './shared-problems.js';
import type { Operation, Parameter, Ref } from './types.js';

/** Where an operation stands in the document, and what it was before the pass over it. */
interface Found {
  path: string;
  method: string;
  operation: Operation;
  route: DocumentedRoute;
}

/** Headers that handlers read, and the shared parameters that describe them. */
const HEADER_PARAMETERS: Record<string, keyof typeof PARAMETERS> = {
  'if-match': 'IfMatch',
  'if-none-match': 'IfNoneMatch',
  'request-deadline': 'RequestDeadline',
};
/** The same where a request takes no key: a PUT or DELETE needs no version, and may have one. */
const OPTIONAL_HEADER_PARAMETERS: typeof HEADER_PARAMETERS = { 'if-match': 'IfMatchIfAny', 'if-none-match': 'IfNoneMatchOfChange' };

/** What the configuration says about keys, where a handler says nothing else. */
export interface KeyRules {
  /** How long responses are kept, in milliseconds. */
  window: number;
  lateRequests: 'refuse' | 'execute';
}

/**
 * The operation with everything that follows from the metadata of its handler.
 * @throws Error when its documentation contradicts its other decorators
 */
export function completeOperation({ path, method, operation, route }: Found, rules: KeyRules): Operation {
  const { api, idempotent, scope } = route;
  const { deprecation } = api;
  if ((method === 'get') !== (api.effects === undefined)) throw new Error(`${api.id}: whatever may change something names its effects`);
  const parameters = (operation.parameters ?? []).filter(isExplicit);
  const takes = (where: Parameter['in']): boolean => parameters.some((parameter) => parameter.in === where);
  const keyed = idempotent !== undefined;
  const instance = path.replace(/\{(\w+)\}/g, (whole, name: string) => api.params?.[name]?.example ?? whole);
  const problems = problemsOf(route, {
    hasBody: operation.requestBody !== undefined,
    hasQuery: takes('query'),
    hasPathParameters: takes('path'),
    needsIfMatch: keyed && route.headers.includes('if-match'),
    resource: api.answers.find(({ headers }) => headers?.['Location'])?.headers?.['Location'] ?? instance,
  });
  return {
    operationId: api.id,
    summary: api.summary,
    description: [
      api.description,
      ...(scope ? [`Needs the scope \`${scope}\`.`] : []),
      ...(deprecation ? [wordsOn(deprecation)] : []),
    ].join('\n\n'),
    ...(deprecation && { deprecated: true, 'x-deprecation': deprecation }),
    ...(operation.tags && { tags: operation.tags }),
    security: scope ? [{ [API_KEY]: [scope] }] : [],
    ...(scope && { 'x-required-scope': scope }),
    'x-idempotency': guarantees(route, problems, rules),
    parameters: [
      ...(keyed ? keyParameters() : []),
      ...headerParameters(route, keyed || method === 'get' ? HEADER_PARAMETERS : OPTIONAL_HEADER_PARAMETERS),
      ...parameters.map((parameter) => describe(parameter, api)),
    ],
    ...(operation.requestBody && { requestBody: withExamples(operation.requestBody, api) }),
    responses: deprecatedResponses(
      responsesOf(api.answers, problems, { keyed, authenticated: scope !== undefined, instance }),
      deprecation,
    ),
  };
}

function wordsOn({ since, sunset, guide }: Deprecation): string {
  const until = sunset === undefined ? '' : `, and may stop answering on ${sunset}`;
  return `Deprecated since ${since}${until}: [what takes its place](${guide}).`;
}

/** Described where it stands: by its class, by `@ApiHeader()`, or below. */
function isExplicit(parameter: Parameter | Ref): parameter is Parameter {
  return !('$ref' in parameter) && !(parameter.name in HEADER_PARAMETERS);
}

function keyParameters(): Ref[] {
  return [parameterRef('IdempotencyKey'), parameterRef('Prefer'), parameterRef('RetryAttempt'), parameterRef('RetryReason')];
}

function headerParameters({ headers }: DocumentedRoute, known: typeof HEADER_PARAMETERS): Ref[] {
  return headers.flatMap((name) => {
    const shared = known[name];
    return shared ? [parameterRef(shared)] : [];
  });
}

function describe(parameter: Parameter, { id, params = {} }: ApiOptions): Parameter {
  if (parameter.in !== 'path') return parameter;
  const described = params[parameter.name];
  if (!described) throw new Error(`${id}: the parameter ${parameter.name} is not described`);
  const { description, example, refusal: _, ...schema } = described;
  return { ...parameter, description, schema, example };
}

function withExamples(body: NonNullable<Operation['requestBody']>, { id, requests }: ApiOptions): NonNullable<Operation['requestBody']> {
  if ('$ref' in body || !requests) throw new Error(`${id}: a body needs examples`);
  const examples = Object.fromEntries(Object.entries(requests).map(([summary, value], at) => [`example${at + 1}`, { summary, value }]));
  return { ...body, content: { 'application/json': { ...body.content['application/json'], examples } } };
}

/** What a retry of an operation means, for programs: the extension `x-idempotency`, and GET /.well-known/idempotency. */
export interface Guarantees {
  required: boolean;
  /** How long the answer is kept, counted from completion; null where there is no key. */
  window: string | null;
  effects: string;
  concurrent: string;
  /** Which answers are stored and replayed: statuses of success, and codes of problems. Any other leaves the key unused. */
  stored: (number | string)[] | null;
  /** How long the same request under another key is a possible duplicate; null where nobody looks. */
  duplicateWindow: string | null;
  /** What becomes of a request whose key's window has passed. */
  lateRequests: KeyRules['lateRequests'] | null;
}

function guarantees({ api, idempotent }: DocumentedRoute, problems: Problem[], { window, lateRequests }: KeyRules): Guarantees {
  const { effects = 'none' } = api;
  if (!idempotent) {
    return { required: false, window: null, effects, concurrent: 'independent', stored: null, duplicateWindow: null, lateRequests: null };
  }
  const { windowMs, duplicateWindowMs } = idempotent;
  return {
    required: true,
    window: durationOf(windowMs ?? window),
    effects,
    concurrent: 'one runs; the others get 409 idempotency-request-in-progress, or its answer with Prefer: wait=N',
    stored: [
      // A 202 is no outcome: the same key gets that later.
      ...api.answers.map(({ status }) => status).filter((status) => status !== 202),
      ...problems.filter(({ final }) => final).map(({ code }) => code),
    ],
    duplicateWindow: duplicateWindowMs === undefined ? null : durationOf(duplicateWindowMs),
    lateRequests,
  };
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A duration as the configuration writes it (`24h`). */
function durationOf(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => milliseconds % length === 0) ?? ['ms', 1];
  return `${milliseconds / size}${unit}`;
}
