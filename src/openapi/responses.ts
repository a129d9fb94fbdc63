import { getSchemaPath } from '@nestjs/swagger';
import { deprecationHeaders, type Deprecation } from '../http/deprecation.js';
import { PROBLEMS } from '../http/problem-table.js';
import { renderProblem, type Problem } from '../http/problem.js';
import type { ApiAnswer } from './api.decorator.js';
import { EXAMPLE_REQUEST_ID, HEADERS, headerRef } from './components.js';
import { EXAMPLE_ID } from './fields.js';
import type { Example, Header, Response } from './types.js';

/** On every answer that is kept under its key. */
const STORED_HEADERS = ['Idempotency-Key', 'Idempotency-Expires', 'Operation-Id', 'Idempotent-Replayed', 'Preference-Applied'];
/** On every answer to a request whose key was read. */
const ECHOED_HEADERS = ['Idempotency-Key', 'Preference-Applied'];
/** Before the key is read: such a refusal doesn't echo it. */
const BEFORE_KEY = new Set([401, 403, 408]);
/** On every answer to a request whose API key was read. */
const LIMIT_HEADERS = ['RateLimit-Policy', 'RateLimit'];
/** The stored headers of a first answer: it is no replay, and in the example nobody asked it to wait. */
const FIRST_HEADERS = ['Idempotency-Key', 'Idempotency-Expires', 'Operation-Id'];

interface Context {
  /** The operation takes a key. */
  keyed: boolean;
  /** It needs an API key. */
  authenticated: boolean;
  /** The path as the examples ask for it. */
  instance: string;
}

/** The responses of one operation, by status. */
export function responsesOf(answers: ApiAnswer[], problems: Problem[], context: Context): Record<string, Response> {
  const responses: Record<string, Response> = {};
  for (const answer of answers) responses[answer.status] = answerResponse(answer, context);
  for (const status of new Set(problems.map((problem) => problem.status))) {
    if (responses[status]) throw new Error(`an answer and a problem share the status ${status}`);
    responses[status] = problemResponse(
      problems.filter((problem) => problem.status === status),
      context,
    );
  }
  return responses;
}

/** The same with the headers of a route that is deprecated, whose values are known. */
export function deprecatedResponses(responses: Record<string, Response>, deprecation: Deprecation | undefined): Record<string, Response> {
  if (!deprecation) return responses;
  const { deprecation: since = '', sunset, link = '' } = deprecationHeaders(deprecation);
  const own: Record<string, Header> = {
    Deprecation: { description: 'Since when the route is deprecated (RFC 9745).', schema: { type: 'string' }, example: since },
    ...(sunset !== undefined && {
      Sunset: { description: 'When it may stop answering (RFC 8594).', schema: { type: 'string' }, example: sunset },
    }),
    Link: {
      description: `${HEADERS['Link']?.description} With \`rel="deprecation"\` and \`rel="sunset"\`, what takes the place of this route.`,
      schema: { type: 'string' },
      example: link,
    },
  };
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [status, { ...response, headers: { ...response.headers, ...own } }]),
  );
}

function answerResponse(answer: ApiAnswer, { keyed, authenticated }: Context): Response {
  const { description, view, texts = {}, headers = {} } = answer;
  const kept = keyed && answer.status !== 202;
  const content = Object.entries(texts).map(([type, example]) => [type, { schema: { type: 'string' }, example }] as const);
  return {
    description,
    headers: headerRefs([
      'X-Request-Id',
      ...(authenticated ? LIMIT_HEADERS : []),
      ...Object.keys(headers),
      ...(keyed ? STORED_HEADERS : []),
    ]),
    ...((view !== undefined || content.length > 0) && {
      content: {
        ...(view && { 'application/json': jsonContent(answer, view, kept) }),
        ...Object.fromEntries(content),
      },
    }),
  };
}

function jsonContent(answer: ApiAnswer, view: NonNullable<ApiAnswer['view']>, kept: boolean) {
  const schema = { $ref: getSchemaPath(view) };
  if (answer.list) {
    return { schema: { $ref: `${schema.$ref}Page` }, example: { data: [answer.example], nextCursor: null } };
  }
  if (!kept) return { schema, example: answer.example };
  const first = { ...exampleHeaders(FIRST_HEADERS), ...answer.headers };
  const examples: Record<string, Example> = {
    first: { summary: 'First answer', value: answer.example, 'x-headers': first },
    replay: {
      summary: 'Replay: the same bytes, with Idempotent-Replayed: true',
      value: answer.example,
      'x-headers': { ...first, ...exampleHeaders(['Idempotent-Replayed']) },
    },
  };
  return { schema, examples };
}

function problemResponse(problems: Problem[], context: Context): Response {
  const rendered = problems.map((problem) => renderExample(problem, context));
  const codes = [...new Set(problems.map(({ code }) => code))];
  const keptHere = rendered.some(({ kept }) => kept);
  const echoed = context.keyed && problems.some(({ status }) => !BEFORE_KEY.has(status)) ? ECHOED_HEADERS : [];
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: headerRefs([
      'X-Request-Id',
      ...(context.authenticated && !codes.includes('unauthenticated') ? LIMIT_HEADERS : []),
      ...(codes.includes('unauthenticated') ? ['WWW-Authenticate'] : []),
      ...(rendered.some(({ headers }) => 'retry-after' in headers) ? ['Retry-After'] : []),
      ...(rendered.some(({ headers }) => 'link' in headers) ? ['Link'] : []),
      ...(keptHere ? STORED_HEADERS : echoed),
    ]),
    content: {
      'application/problem+json': {
        schema: { allOf: [{ $ref: getSchemaPath('Problem') }, { type: 'object', properties: { code: { type: 'string', enum: codes } } }] },
        examples: Object.fromEntries(rendered.map(({ name, example }) => [name, example])),
      },
    },
  };
}

/** The bytes that the server would send, made by the code that sends them. */
function renderExample(problem: Problem, { keyed, instance }: Context) {
  // What is stored names its operation; it will be sent again.
  const kept = keyed && problem.final;
  const { headers, body } = renderProblem(problem, {
    instance: kept ? `/v1/operations/${EXAMPLE_ID.op}` : instance,
    requestId: EXAMPLE_REQUEST_ID,
    ...(kept && { operationId: EXAMPLE_ID.op }),
  });
  const example: Example = { summary: PROBLEMS[problem.code].title, value: JSON.parse(body) as unknown };
  return { name: problem.code, kept, headers, example };
}

function headerRefs(names: string[]) {
  return Object.fromEntries(names.map((name) => [name, headerRef(name)]));
}

function exampleHeaders(names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, HEADERS[name]?.example ?? '']));
}
