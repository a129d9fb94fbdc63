import { problemOf } from '../http/problem.filter.js';
import { Problem, noSuch } from '../http/problem.js';
import { IdempotencyRefusal } from '../idempotency/index.js';
import { listOf, ok, readOf, type Shown } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { OperationView, SealedKeyView } from './operation.dto.js';

/** A payment that was charged at once, and its key sent once more. */
export const OPERATION: Shown = {
  view: OperationView,
  example: {
    id: EXAMPLE_ID.op,
    operation: 'POST /v1/payments',
    status: 'completed',
    recoveryPoint: 'payments.charge',
    attempts: 1,
    resource: `/v1/payments/${EXAMPLE_ID.pay}`,
    response: { status: 201 },
    replays: 1,
    createdAt: EXAMPLE_TIME,
    completedAt: EXAMPLE_TIME,
    expiresAt: '2026-01-16T09:30:00.120Z',
    timeline: [
      { at: EXAMPLE_TIME, event: 'claimed', detail: 'POST /v1/payments' },
      { at: EXAMPLE_TIME, event: 'step-started', detail: 'payments.charge' },
      { at: EXAMPLE_TIME, event: 'provider-answered', detail: 'payments.charge, attempt 1' },
      { at: EXAMPLE_TIME, event: 'settled', detail: '201' },
      { at: EXAMPLE_TIME, event: 'replayed', detail: 'once' },
    ],
  },
};

const params = { id: idOf('op', 'Id of the operation, from the header Operation-Id.') };

/** While the operation is in other hands. */
export function running(operationId: string | undefined): Problem {
  return new Problem('operation-running', 'The operation is running at this moment.', { operationId });
}

export const LIST_OPERATIONS = listOf(OPERATION, {
  id: 'listOperations',
  things: 'operations',
  description: 'The account’s requests with a key, newest first; with `idempotencyKey`, what became of that one.',
  problems: [problemOf(new IdempotencyRefusal('idempotency-key-invalid'))],
});

export const GET_OPERATION = readOf(OPERATION, {
  id: 'getOperation',
  thing: 'operation',
  description: 'How far it has come, and what happened on the way.',
  params,
  problems: [noSuch('operation')],
});

const SEALED: Shown = {
  view: SealedKeyView,
  example: { idempotencyKey: '01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a', state: 'sealed' },
};

export const SEAL_KEY: ApiOptions = {
  id: 'sealKey',
  summary: 'Seal an idempotency key',
  description:
    'For whoever gives up on a request and must know that it can never execute, even if it arrives tomorrow. A key that was never ' +
    'used is sealed: any request with it answers 409 `idempotency-key-sealed`. One that was used stays as it is, and its operation ' +
    'is told. While a request has it in hand, or its operation has no outcome yet, 409 `operation-running`. Sealing twice is the same as once.',
  effects: 'the key is sealed, once',
  requests: { 'Give a request up': { idempotencyKey: '01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a' } },
  answers: [ok(SEALED, 'What the key is now.')],
  problems: [running(EXAMPLE_ID.op), problemOf(new IdempotencyRefusal('idempotency-key-invalid'))],
};

export const RESUME_OPERATION: ApiOptions = {
  id: 'resumeOperation',
  summary: 'Resume an operation',
  description:
    'Finishes an interrupted operation without redoing finished steps. A completed one is answered as it is, and so is one whose ' +
    'outcome the provider could not tell less than a recovery interval ago: it stays `interrupted` until it may be asked again.',
  effects: 'the rest of the operation, once',
  params,
  answers: [ok(OPERATION, 'The operation as it stands now.')],
  problems: [noSuch('operation'), running(EXAMPLE_ID.op)],
};
