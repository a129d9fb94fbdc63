import { noSuch } from '../http/problem.js';
import { ok } from '../openapi/api.builders.js';
import type { ApiOptions } from '../openapi/api.decorator.js';
import { EXAMPLE_ID, EXAMPLE_TIME, idOf } from '../openapi/fields.js';
import { OPERATION, running } from '../operations/operations.api.js';
import { notUnderReview } from './decision.store.js';
import { notYet } from './payments.api.js';

const DECIDED = {
  ...OPERATION,
  example: {
    ...OPERATION.example,
    replays: 0,
    attempts: 4,
    timeline: [
      { at: EXAMPLE_TIME, event: 'claimed', detail: 'POST /v1/payments' },
      { at: EXAMPLE_TIME, event: 'step-started', detail: 'payments.charge' },
      { at: EXAMPLE_TIME, event: 'parked', detail: 'status 500' },
      { at: EXAMPLE_TIME, event: 'resumed', detail: 'by a decision, attempt 4' },
      { at: EXAMPLE_TIME, event: 'decided', detail: 'happened, by key_01kf0fv28ce4tbx1f3m0r9h6yd: seen in the dashboard' },
      { at: EXAMPLE_TIME, event: 'settled', detail: '201' },
    ],
  },
};

export const DECIDE_OPERATION: ApiOptions = {
  id: 'decideOperation',
  summary: 'Decide an operation',
  description:
    'Settles a payment or refund that is flagged for review, since the provider can’t tell what became of it. The provider is asked ' +
    'once more, and what it tells goes before the decision. `happened`: the original key answers as if the provider had said yes. ' +
    '`did-not-happen`: it answers 402 with `failureCode` `decided_not_charged`, and the order can be paid under a new key. A charge ' +
    'that shows later all the same is refunded and flagged, never booked.',
  effects: 'one decision, and the operation settled once',
  params: { id: idOf('op', 'Id of the operation that is flagged.') },
  requests: {
    'It happened': { outcome: 'happened', providerReference: 'ch_5f2c9a', note: 'seen in the dashboard' },
    'It did not happen': { outcome: 'did-not-happen', note: 'the provider’s support says so, case 1234' },
  },
  answers: [ok(DECIDED, 'The operation as it was decided.'), notYet(OPERATION)],
  problems: [noSuch('operation'), notUnderReview(), running(EXAMPLE_ID.op)],
};
