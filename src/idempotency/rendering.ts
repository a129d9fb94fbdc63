import { HttpException } from '@nestjs/common';
import { publicOperationId } from './operation-id.js';
import type { CompleteOptions } from './options.js';
import type { StoredResponse } from './reply.js';

/** An application's rule for errors: see `IdempotencyOptions.render`. */
type RenderRule = CompleteOptions['render'];

/** Makes the response that an error would have had without the core. */
export type Filters = (error: unknown) => StoredResponse | Promise<StoredResponse>;

/** A rule whose `filters` have been asked; `operationId` is a uuid here. It rejects with what rule or filters throw. */
export type Render = (...of: Parameters<RenderRule>) => Promise<StoredResponse | 'not-final'>;

/** A validation, whose rules may change, and what a moment decides: a timeout, a replay of early data, a limit. */
const PASSING = new Set([400, 408, 425, 429]);

/** The rule of an application that says none: an HttpException of 4xx is final, other than 400, 408, 425 and 429. */
export function renderByDefault(error: unknown): 'filters' | 'not-final' {
  const status = error instanceof HttpException ? error.getStatus() : 500;
  return status < 400 || status >= 500 || PASSING.has(status) ? 'not-final' : 'filters';
}

/**
 * The rule with the filters that it may leave an error to; by default none, as for work that no request waits for. What they answer with a 5xx
 * is not final.
 */
export function renderer(rule: RenderRule, filters: Filters = withoutFilters): Render {
  return async (error, { operationId: uuid, traceId }) => {
    const operationId = publicOperationId(uuid);
    const rendered = rule(error, { operationId, traceId });
    if (rendered !== 'filters') return rendered;
    const { status, headers, body } = await filters(error);
    return status < 500 ? { status, headers: { ...headers, 'operation-id': operationId }, body } : 'not-final';
  };
}

/** As Nest answers by itself (BaseExceptionFilter). @throws the error where Nest would answer 500 */
function withoutFilters(error: unknown): StoredResponse {
  if (!(error instanceof HttpException)) throw error;
  const status = error.getStatus();
  const said = error.getResponse();
  const body = JSON.stringify(typeof said === 'object' ? said : { statusCode: status, message: said });
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body };
}
