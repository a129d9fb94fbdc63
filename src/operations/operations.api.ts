import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { Problem } from '../http/problem.js';
import { OperationView } from './operation.dto.js';

const EXAMPLE = {
  id: EXAMPLE_ID.op,
  operation: 'POST /v1/payments',
  status: 'completed',
  recoveryPoint: null,
  attempts: 1,
  resource: `/v1/payments/${EXAMPLE_ID.pay}`,
  response: { status: 201 },
  replays: 1,
  createdAt: EXAMPLE_TIME,
  completedAt: EXAMPLE_TIME,
  expiresAt: '2026-01-16T09:30:00.120Z',
  timeline: [{ at: EXAMPLE_TIME, event: 'claimed', detail: 'payments.charge' }],
};

const params = { id: idOf('op', 'Id of the operation, from the header Operation-Id.') };
const noSuchOperation = new Problem('not-found', 'This account has no such operation.');

export const LIST_OPERATIONS: ApiOptions = {
  id: 'listOperations',
  summary: 'List operations',
  description: 'The account’s requests with a key, newest first; with `idempotencyKey`, what became of that one.',
  answers: [{ status: 200, description: 'A page of operations.', view: OperationView, list: true, example: EXAMPLE }],
  problems: [new Problem('idempotency-key-invalid', 'The Idempotency-Key must be sent once, with 1 to 255 visible ASCII characters.')],
};

export const GET_OPERATION: ApiOptions = {
  id: 'getOperation',
  summary: 'Read an operation',
  description: 'How far it has come, and what happened on the way.',
  params,
  answers: [{ status: 200, description: 'The operation.', view: OperationView, example: EXAMPLE }],
  problems: [noSuchOperation],
};

export const RESUME_OPERATION: ApiOptions = {
  id: 'resumeOperation',
  summary: 'Resume an operation',
  description: 'Finishes an interrupted operation without redoing finished steps; a completed one is answered as it is.',
  effects: 'the rest of the operation, once',
  params,
  answers: [{ status: 200, description: 'The operation as it stands now.', view: OperationView, example: EXAMPLE }],
  problems: [noSuchOperation, new Problem('operation-running', 'The operation is running at this moment.', { operationId: EXAMPLE_ID.op })],
};
