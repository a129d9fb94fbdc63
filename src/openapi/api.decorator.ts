import { applyDecorators, SetMetadata, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtraModels, ApiOperation } from '@nestjs/swagger';
import { deprecationHeaders, type Deprecation } from '../http/deprecation.js';
import type { Problem } from '../http/problem.js';
import type { TextField } from './field.decorator.js';

/** Metadata key of `@Api()`, for those who gather the handlers of the document. */
export const API = 'holdfast:api';

/** A parameter of the path: the field that it stands for (`idOf('ord', …)`). */
export type ApiParam = Pick<TextField, 'type' | 'pattern' | 'refusal' | 'description'> & { enum?: string[]; example: string };

/** One answer that is no problem. */
export interface ApiAnswer {
  status: number;
  /** What the status means here. */
  description: string;
  /** Class of the JSON body. */
  view?: Type;
  /** The body is a page of `view`s, newest first; `example` shows one of them. */
  list?: true;
  example?: unknown;
  /** Headers that the contract promises for this answer, with the values of the example. */
  headers?: Record<string, string>;
  /** Bodies of other media types, with an example each. */
  texts?: Record<string, string>;
}

/** What can't be derived from a handler's other metadata. */
export interface ApiOptions {
  /** operationId: the name of the method in a generated client. */
  id: string;
  summary: string;
  /** What the operation promises, in Markdown. */
  description: string;
  /** What happens once, for each key or whatever else tells repeats apart. Every operation but a GET has it. */
  effects?: string;
  params?: Record<string, ApiParam>;
  /** Bodies that work as they stand, by the words that tell them apart. The first one is filled in by Swagger UI. */
  requests?: Record<string, unknown>;
  answers: ApiAnswer[];
  /** Refusals of its own, as the handler would throw them. What all operations share is added, unless it stands here. */
  problems?: Problem[];
  /** That it is going away: says so in its headers, in the document and in the policy. */
  deprecation?: Deprecation;
}

/**
 * Documents a handler. The rest comes from the other decorators: parameters and body from the signature, key, replay and
 * window from `@Idempotent()`, security from `@NeedsScope()` and `@Public()`, versions from `@Headers('if-match')`.
 */
export function Api(options: ApiOptions): MethodDecorator {
  return applyDecorators(
    SetMetadata(API, options),
    ApiOperation({ operationId: options.id, summary: options.summary }),
    ApiExtraModels(...options.answers.flatMap(({ view }) => view ?? [])),
    ...(options.deprecation ? [RouteConfig({ deprecation: deprecationHeaders(options.deprecation) })] : []),
  );
}
