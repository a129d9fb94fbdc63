import type { INestApplication } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule, getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { CONFIG, type Config } from '../kernel/config.js';
import { API_KEY, HEADERS, PARAMETERS, PROBLEM_SCHEMA } from './components.js';
import { completeOperation } from './operation.js';
import { documentedRoutes, type DocumentedRoute } from './routes.js';
import type { Operation, PathItem, SchemaObject } from './types.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const DESCRIPTION = `One logical request has exactly one effect. Every operation that changes something takes an \`Idempotency-Key\`: \
send the same request with the same key as often as you like, it is done once, and each later try gets the first answer, \
byte for byte, with \`Idempotent-Replayed: true\`.

- **Try it**: authorize with an API key, open an operation, *Try it out*, *Execute*: the first answer. *Execute* again: the replay.
- **Errors** are \`application/problem+json\` (RFC 9457). Their \`retry\` says what to do: \`same-key\`, \`new-key\` or \`never\`; \
their \`type\` leads to a page that explains them ([all problems](/problems)).
- **Money** is an integer in the currency’s minor unit. **Times** are UTC. **Lists** are newest first and paged by \`cursor\`.
- Members that a schema doesn’t name are refused in requests; expect new ones in answers.
- Card numbers are refused in every text of a body, metadata’s names too: payments take a token of the provider.
- What an operation guarantees for retries stands in its extension \`x-idempotency\`; the same in short, for programs: [/.well-known/idempotency](/.well-known/idempotency).`;

/** The tags in the order in which they are shown: a controller's name without `Controller`. */
const TAGS: Record<string, string> = {
  Products: 'What can be ordered. Every new account starts with demo products.',
  Orders: 'Orders reserve stock when they are placed, and give it back when they are cancelled.',
  Payments: 'Payments of orders, and refunds of payments. An answer that is not known yet is 202, never a guess.',
  Tickets: 'Requests for support.',
  Operations: 'The story of each request with a key.',
  Events: 'What became true, each written down in the transaction that made it so.',
  Webhooks: 'Where the account is told of its events, and what has been told.',
  Provider: 'What the payment provider sends.',
  Problems: 'What the errors of this service mean.',
  Health: 'For load balancers and orchestrators.',
  Metrics: 'For Prometheus.',
  Policy: 'What a key means here, for programs.',
  Docs: 'This description.',
  Console: 'A page for operators.',
};

const API_KEY_SCHEME = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'hf_<mode>_<key id>_<secret>',
  description:
    'An API key, `Authorization: Bearer hf_<mode>_<key id>_<secret>`: mode `test` or `live`, an id of 26 letters and digits, a secret. ' +
    'A key belongs to one account, sees nothing of any other, and carries scopes; `admin` includes all of them.',
} as const;

/** The OpenAPI document of an application, which need not be initialised: all of it comes from metadata. */
export function buildDocument(app: INestApplication): OpenAPIObject {
  const rules = app.get<Config>(CONFIG);
  const routes = documentedRoutes(app.get(ModulesContainer));
  const document = SwaggerModule.createDocument(app, base());
  const schemas = (document.components?.schemas ?? {}) as Record<string, SchemaObject>;
  schemas['Problem'] = PROBLEM_SCHEMA;
  const usedTags = new Set<string>();
  for (const [path, method, item, operation] of operationsOf(document)) {
    const route = routes.get(operation.operationId ?? '');
    if (!route) throw new Error(`${method} ${path} has no @Api()`);
    const completed = completeOperation({ path, method, operation, route }, rules);
    item[method] = completed;
    addPages(schemas, route);
    refuseUnknownMembers(schemas, completed);
    allowEmptyBody(schemas, completed);
    for (const tag of operation.tags ?? []) usedTags.add(tag);
  }
  return {
    ...document,
    tags: [...usedTags].toSorted(byPlace).map((name) => ({ name, description: TAGS[name] ?? '' })),
    paths: sorted(document.paths),
    components: {
      securitySchemes: { [API_KEY]: API_KEY_SCHEME },
      schemas: sorted(schemas),
      parameters: PARAMETERS,
      headers: HEADERS,
    },
  };
}

function base(): Omit<OpenAPIObject, 'paths'> {
  return new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription(DESCRIPTION)
    .setVersion('1.0.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server that this description comes from')
    .build();
}

/** Every operation of a document, with where it stands. */
export function operationsOf(document: OpenAPIObject): [string, (typeof METHODS)[number], PathItem, Operation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method): [string, (typeof METHODS)[number], PathItem, Operation][] => {
      const operation = item[method];
      return operation ? [[path, method, item, operation]] : [];
    }),
  );
}

/** A list answers with a schema of its own for each kind of entry; TypeScript's `Page<View>` leaves no metadata. */
function addPages(schemas: Record<string, SchemaObject>, { api }: DocumentedRoute): void {
  for (const { view, list } of api.answers) {
    if (!view || !list) continue;
    const entry = getSchemaPath(view);
    schemas[`${nameOf(entry)}Page`] = {
      type: 'object',
      description: 'One page of a list, newest first.',
      required: ['data', 'nextCursor'],
      properties: {
        data: { type: 'array', items: { $ref: entry }, maxItems: 100 },
        nextCursor: { type: ['string', 'null'], description: 'What to send as `cursor` for the next page; null on the last one.' },
      },
    };
  }
}

/** Bodies with members that a class doesn't declare are answered 400, in nested objects too. */
function refuseUnknownMembers(schemas: Record<string, SchemaObject>, { requestBody }: Operation): void {
  const close = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('$ref' in value && typeof value.$ref === 'string') {
      const schema = schemas[nameOf(value.$ref)];
      if (!schema || schema.additionalProperties === false) return;
      schema.additionalProperties = false;
      close(schema.properties);
    }
    for (const member of Object.values(value)) close(member);
  };
  close(requestBody);
}

/** An empty body counts as an empty object, so it will do wherever no member is needed. */
function allowEmptyBody(schemas: Record<string, SchemaObject>, { requestBody }: Operation): void {
  if (!requestBody || '$ref' in requestBody) return;
  const schema = requestBody.content['application/json']?.schema;
  if (schema && '$ref' in schema && !schemas[nameOf(schema.$ref)]?.required) requestBody.required = false;
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

function byPlace(one: string, other: string): number {
  const names = Object.keys(TAGS);
  return names.indexOf(one) - names.indexOf(other);
}

/** By name, so that the exported file changes only where the service does. */
function sorted<Value>(entries: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(entries).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
