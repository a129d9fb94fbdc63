import type { Done, Problem, Refused, Unknown } from '../outcome.js';
import type { components, operations } from './openapi.js';

type Schemas = components['schemas'];

export type Order = Schemas['Order'];
export type OrderItem = Schemas['OrderItem'];
export type CreateOrder = Schemas['CreateOrder'];
export type UpdateOrder = Schemas['UpdateOrder'];
export type BatchResult = Schemas['BatchResult'];
export type Payment = Schemas['Payment'];
export type CreatePayment = Schemas['CreatePayment'];
export type Refund = Schemas['Refund'];
export type Product = Schemas['Product'];
export type StockChange = Schemas['StockChange'];
export type Ticket = Schemas['Ticket'];
export type Operation = Schemas['Operation'];
export type Event = Schemas['Event'];
export type WebhookEndpoint = Schemas['WebhookEndpoint'];
export type WebhookDelivery = Schemas['WebhookDelivery'];

/** What a webhook tells: an event, or the one that `test` of an endpoint sends. */
export type WebhookEvent = Event | (Omit<Event, 'type'> & { type: 'endpoint.test' });

/** All problems that the service tells; `GET /problems/{code}` has a page about each. */
export type ProblemCode = Schemas['Problem']['code'];

/** A route of the service, by the name that its description (OpenAPI) gives it. */
export type OperationName = keyof operations;

type Json<Content> = Content extends { content: { 'application/json': infer Body } } ? Body : never;
type Responses<Name extends OperationName> = operations[Name]['responses'];

/** What a route takes; undefined too where it may be left out. */
export type BodyOf<Name extends OperationName> = operations[Name] extends { requestBody: infer Content }
  ? Json<Content>
  : operations[Name] extends { requestBody?: infer Content }
    ? Json<NonNullable<Content>> | undefined
    : undefined;

type SuccessOf<Name extends OperationName> = keyof Responses<Name> & (200 | 201);

/** What a route answers when it is done; null where that is nothing. */
export type ResultOf<Name extends OperationName> = [SuccessOf<Name>] extends [never] ? null : Json<Responses<Name>[SuccessOf<Name>]>;

/** What a route is asked with. */
export type QueryOf<Name extends OperationName> = NonNullable<operations[Name]['parameters']['query']>;

/** A page of a list. */
export interface Page<Item> {
  data: Item[];
  nextCursor: string | null;
}

/** The routes that answer pages. */
export type ListName = { [Name in OperationName]: ResultOf<Name> extends Page<unknown> ? Name : never }[OperationName];

/** What is in a list. */
export type ItemOf<Name extends ListName> = ResultOf<Name> extends Page<infer Item> ? Item : never;

type ProblemIn<Response> = Response extends { content: { 'application/problem+json': { code: infer Code } } } ? Code : never;

/** The problems that a route can tell. */
export type ProblemCodeOf<Name extends OperationName> = ProblemIn<Responses<Name>[keyof Responses<Name>]>;

/** What is known of a request of this route. A refusal without a code is not the service's: something between here and there made it. */
export type OutcomeOf<Name extends OperationName> =
  Done<ResultOf<Name>> | (Refused & { problem: Problem & { code?: ProblemCodeOf<Name> } }) | Unknown;
