import { inTransaction } from '../postgres/connection-guard.js';
import { HandlerTransaction, type OperationIdentity } from '../postgres/handler-transaction.js';
import type { PostgresTransaction } from '../postgres/postgres-transaction.js';
import type { Render } from '../rendering.js';
import { reply, toResponse, type StoredResponse } from '../reply.js';
import { isEnd, stepName } from '../step.js';
import type { Transaction } from '../transaction.js';

/** What a transaction commits. */
export type Committable =
  /** The work, with its answer. */
  | { kind: 'store'; response: StoredResponse; resource: string | undefined }
  /** The work; the operation goes on with a step. `pending` is what the client gets meanwhile. */
  | { kind: 'next'; step: string; subjectId: string; pending: StoredResponse | undefined; resource: string | undefined }
  /** No outcome yet: the step will be called again. */
  | { kind: 'park'; reason: string; againMs: number | undefined }
  /** The operation never was. */
  | { kind: 'undo'; error: Error };

/** What a handler, or a step's `settle`, came to. */
export type Decision =
  | Committable
  /** The work is undone; the error may be an answer. */
  | { kind: 'throw'; error: unknown }
  /** The work is undone, and nothing is stored. */
  | { kind: 'abandon'; error: unknown };

/** A handler, or a step's `settle`, in one transaction. */
export type Work = (tx: Transaction) => Promise<unknown>;

/** Work failed before the handler was reached: that decides nothing, whatever the error is. */
export class NotReached extends Error {
  constructor(override readonly cause: unknown) {
    super('the handler was not reached');
  }
}

/** How work is turned into a decision. */
export interface Deciding {
  identity: OperationIdentity;
  /** Status of a plain value that the work returns. */
  status: number;
  traceId: string | null;
  /** Whether this process has the step. */
  knowsStep(name: string): boolean;
  render: Render;
}

/** Runs the work and says what it came to; never rejects. */
export async function decide(tx: PostgresTransaction, work: Work, how: Deciding): Promise<Decision> {
  try {
    const handed = new HandlerTransaction(tx, how.identity);
    return decisionOf(await inTransaction(tx, () => work(handed)), how);
  } catch (thrown) {
    if (thrown instanceof NotReached) return { kind: 'abandon', error: tx.violations.meaningOf(thrown.cause) };
    return { kind: 'throw', error: tx.violations.meaningOf(thrown) };
  }
}

/** What the work's return value decides. @throws Error for a step that is none of this application's */
export function decisionOf(returned: unknown, how: Pick<Deciding, 'identity' | 'status' | 'knowsStep'>): Committable {
  const { identity, status } = how;
  if (isEnd('next', returned)) {
    const { subjectId, pending } = returned;
    const step = stepName(returned.step);
    if (!how.knowsStep(step)) throw new Error(`${identity.owner} names the step ${step}, which is no provider of this application`);
    return {
      kind: 'next',
      step,
      subjectId,
      pending: pending && toResponse(pending, identity.operationId),
      resource: pending?.resource,
    };
  }
  if (isEnd('park', returned)) return { kind: 'park', reason: returned.reason, againMs: returned.againMs };
  if (isEnd('undo', returned)) return { kind: 'undo', error: returned.error };
  const answer = isEnd('reply', returned) ? returned : reply(status, returned);
  return { kind: 'store', response: toResponse(answer, identity.operationId), resource: answer.resource };
}
