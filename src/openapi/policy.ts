import type { OpenAPIObject } from '@nestjs/swagger';
import type { Deprecation } from '../http/deprecation.js';
import { PROBLEMS, type RetryVerdict } from '../http/problem-table.js';
import { PARAMETERS } from './components.js';
import { operationsOf } from './document.js';
import type { Guarantees } from './operation.js';

/** What a key means here, for programs. */
export interface Policy {
  header: {
    name: string;
    /** In words. */
    syntax: string;
    /** The same as a regular expression of what may be sent. */
    pattern: string;
    maxLength: number;
  };
  /** Methods of the operations that require a key. */
  methods: string[];
  /** Every operation of this service with what it guarantees, as its `x-idempotency` has it, and whether it is going away. */
  operations: ({ method: string; path: string; operationId: string; deprecation: Deprecation | null } & Guarantees)[];
  /** What to do after each problem, by its code. */
  verdicts: Record<string, RetryVerdict>;
}

/** The policy that a document contains: there is no second source. */
export function policyOf(document: OpenAPIObject): Policy {
  const operations = Array.from(operationsOf(document), ([path, method, , operation]) => {
    const { operationId, 'x-idempotency': guarantees, 'x-deprecation': deprecation = null } = operation;
    if (operationId === undefined || !guarantees) throw new Error(`${method} ${path} guarantees nothing`);
    return Object.assign({ method: method.toUpperCase(), path, operationId, deprecation }, guarantees);
  });
  const { name, schema } = PARAMETERS.IdempotencyKey;
  return {
    header: {
      name,
      syntax: '1 to 255 visible ASCII characters, bare or as an RFC 9651 string; both forms are the same key',
      pattern: schema.pattern ?? '',
      maxLength: 255,
    },
    methods: [...new Set(operations.filter(({ required }) => required).map(({ method }) => method))].toSorted(),
    operations,
    verdicts: Object.fromEntries(Object.entries(PROBLEMS).map(([code, { retry }]) => [code, retry])),
  };
}
