import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { TestApp, TestResponse } from './app.js';

const FORMATS = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  'uri-reference': (text: string) => URL.canParse(text, 'http://localhost'),
  int32: { type: 'number' as const, validate: (value: number) => Number.isInteger(value) && Math.abs(value) < 2 ** 31 },
  int64: { type: 'number' as const, validate: Number.isSafeInteger },
};

/** One operation of the document, as far as tests look at it. */
export interface DocumentedOperation {
  method: string;
  path: string;
  id: string;
  // The document is JSON of many shapes.
  operation: Record<string, any>;
}

/** The document that a replica serves, with validators of its schemas. */
export interface ApiDescription {
  document: Record<string, any>;
  operations: DocumentedOperation[];
  /** Those that take an Idempotency-Key. */
  keyed: DocumentedOperation[];
  operation(id: string): DocumentedOperation;
  /** What is wrong with a body under the schema of a documented response; empty when nothing is. */
  errorsOf(operation: DocumentedOperation, status: number, mediaType: string, body: unknown): unknown[];
  /** The same for the body of a request. */
  errorsOfRequest(operation: DocumentedOperation, body: unknown): unknown[];
  /** The same under a schema with no references. */
  errorsUnder(schema: Record<string, any>, value: unknown): unknown[];
  /** A schema with what it refers to in its place. */
  resolved(schema: Record<string, any>): Record<string, any>;
  /** Expects a documented status, with a body and headers as they are documented. */
  expectDocumented(id: string, response: TestResponse): void;
}

export async function readDescription(app: Pick<TestApp, 'send'>): Promise<ApiDescription> {
  const { body: document } = await app.send('GET', '/openapi.json', { as: null });
  const operations = Object.entries(document['paths'] as Record<string, Record<string, any>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, id: String(operation['operationId']), operation })),
  );
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: FORMATS });
  ajv.addSchema(withoutUnknownMembers(document), 'openapi.json');

  const errorsAt = (pointer: string[], body: unknown): unknown[] => {
    const validate = ajv.getSchema(`openapi.json#/${pointer.map(escapePointer).join('/')}`);
    if (!validate) throw new Error(`the document has nothing at ${pointer.join(' ')}`);
    return validate(body) ? [] : (validate.errors ?? []);
  };
  const errorsOf: ApiDescription['errorsOf'] = ({ path, method }, status, mediaType, body) =>
    errorsAt(['paths', path, method, 'responses', String(status), 'content', mediaType, 'schema'], body);

  const operation = (id: string): DocumentedOperation => {
    const found = operations.find((each) => each.id === id);
    if (!found) throw new Error(`the document has no operation ${id}`);
    return found;
  };
  return {
    document,
    operations,
    keyed: operations.filter((each) => each.operation['x-idempotency'].required),
    operation,
    errorsOf,
    errorsOfRequest: ({ path, method }, body) =>
      errorsAt(['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'], body),
    errorsUnder: (schema, value) => {
      const validate = ajv.compile(schema);
      return validate(value) ? [] : (validate.errors ?? []);
    },
    resolved: (schema) => resolve(document, schema),
    expectDocumented: (id, response) => {
      const found = operation(id);
      const documented = found.operation['responses'][response.status];
      expect({ id, status: response.status, documented: documented !== undefined }).toEqual({
        id,
        status: response.status,
        documented: true,
      });
      const mediaType = response.headers.get('content-type')?.split(';')[0];
      if (mediaType) expect(errorsOf(found, response.status, mediaType, response.body)).toEqual([]);
      const allowed = Object.keys(documented.headers).map((name) => name.toLowerCase());
      expect(allowed).toEqual(expect.arrayContaining([...response.headers.keys()].filter((name) => !TRANSPORT.has(name))));
    },
  };
}

function resolve(document: Record<string, any>, part: any): any {
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map((each) => resolve(document, each));
  if (typeof part.$ref === 'string') return resolve(document, document['components'].schemas[part.$ref.split('/').at(-1)]);
  return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, resolve(document, member)]));
}

/** Headers of HTTP itself and those of every answer, which no operation documents. */
const TRANSPORT = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'cache-control',
  'x-content-type-options',
]);

/** Clients must expect new members; the server's own tests must not. */
function withoutUnknownMembers(document: Record<string, any>): Record<string, any> {
  const copy = structuredClone(document);
  for (const [name, schema] of Object.entries<Record<string, any>>(copy['components'].schemas)) {
    if (name !== 'Problem' && schema['properties']) schema['additionalProperties'] = false;
  }
  return copy;
}

function escapePointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** Method and path of every route that Fastify knows, read from the tree that it prints. */
export function routesOf(app: NestFastifyApplication): string[] {
  const found: string[] = [];
  const parts: string[] = [];
  for (const line of app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', part = '', methods] = /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? [];
    if (!part) continue;
    parts.splice(indent.length / 4, Infinity, part);
    const path = parts.join('').replace(/:(\w+)/g, '{$1}');
    for (const method of methods?.split(', ') ?? []) if (!['HEAD', 'OPTIONS'].includes(method)) found.push(`${method} ${path}`);
  }
  return found.sort();
}

/** The examples of a media type. */
export const examplesOf = (media: Record<string, any>): unknown[] =>
  media['examples'] ? Object.values<{ value: unknown }>(media['examples']).map(({ value }) => value) : [media['example']];

/** The path with the examples of its parameters. */
export const examplePath = ({ path, operation }: DocumentedOperation): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => operation['parameters'].find((each: { name: string }) => each.name === name).example);
