import { Problem, problemDocument } from '../http/problem.js';
import { problemOf } from '../http/problem.filter.js';
import type { ItemOutcome } from '../idempotency/index.js';
import type { BatchResultView } from './batch.dto.js';

/** What the answer of a batch says of one item, as its own request would have been answered; `context`: of problems. */
export function resultOf(index: number, outcome: ItemOutcome, context: { instance: string; requestId: string }): BatchResultView {
  if (outcome.kind === 'answered') {
    const { status, body } = outcome.response;
    const said: unknown = JSON.parse(body);
    return status < 400 ? { index, status, order: said } : { index, status, problem: said };
  }
  const problem = outcome.kind === 'refused' ? problemOf(outcome.error) : rolledBack();
  return { index, status: problem.status, problem: problemDocument(problem, context) };
}

/** That another item of an atomic batch failed. */
function rolledBack(): Problem {
  return new Problem('batch-rolled-back', 'Another item of this batch failed, so nothing was ordered. The key of this item is unused.');
}
