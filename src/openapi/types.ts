import type { OpenAPIObject } from '@nestjs/swagger';
import type { Deprecation } from '../http/deprecation.js';
import type { Guarantees } from './operation.js';

type Components = NonNullable<OpenAPIObject['components']>;
type Resolved<T> = Exclude<T, { $ref: string }>;
type In<T> = T extends Record<string, infer Value> ? Resolved<Value> : never;

/** The objects of an OpenAPI document by their names in the specification, which the library doesn't export. */
export type PathItem = OpenAPIObject['paths'][string];
export type Operation = NonNullable<PathItem['get']> & {
  'x-idempotency'?: Guarantees;
  'x-required-scope'?: string;
  'x-deprecation'?: Deprecation;
};
export type Parameter = In<NonNullable<Components['parameters']>>;
export type Response = In<NonNullable<Components['responses']>>;
export type Header = In<NonNullable<Components['headers']>>;
export type SchemaObject = In<NonNullable<Components['schemas']>>;
export type Example = In<NonNullable<Components['examples']>> & { 'x-headers'?: Record<string, string> };
export interface Ref {
  $ref: string;
}
