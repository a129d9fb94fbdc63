import type { RequestOutcome } from '../observations.js';
import { operationUuid } from '../operation-id.js';
import type { CompleteOptions } from '../options.js';
import { IdempotencyRefusal, type RefusalCode } from '../refusal.js';
import type { Answer } from './executor.js';
import { tellTime } from './late-requests.js';
import type { SaidOfRetry } from './retry-reason.js';

/** What each refusal makes of the request that it is told. */
export const OUTCOME_OF: Record<RefusalCode, RequestOutcome['outcome']> = {
  'idempotency-key-missing': 'missing',
  'idempotency-key-invalid': 'invalid',
  'content-digest-required': 'invalid',
  'content-digest-mismatch': 'invalid',
  'idempotency-request-in-progress': 'in-progress',
  'idempotency-key-reused': 'mismatch',
  'idempotency-key-sealed': 'sealed',
  'idempotency-key-expired': 'expired',
  'possible-duplicate': 'possible-duplicate',
  'rate-limited': 'rate-limited',
  'service-unavailable': 'unavailable',
};

/** Who asks for what. */
export interface Asked {
  intent: Pick<RequestOutcome, 'accountId' | 'key' | 'operation'>;
  retry: SaidOfRetry;
  /** The platform's request, where there is one. */
  request?: unknown;
}

/** Executes a request and tells the application what became of it. @throws as `execute` does; an expired key's refusal says what its time is */
export async function observed(
  options: CompleteOptions,
  asked: Asked & { intent: { key: string } },
  execute: () => Promise<Answer>,
): Promise<Answer> {
  const began = performance.now();
  try {
    const answer = await execute();
    const { operationId, bornAt, traceparent, items = [] } = answer;
    const now = performance.now();
    const told = outcomeOf(asked, meaningOf(answer));
    options.observe({ ...told, operationId, traceparent, ms: now - began, ageMs: answer.replayed ? now - bornAt : undefined });
    for (const { intent, bornAt: born, ...item } of items) {
      options.observe({ ...outcomeOf({ ...asked, intent, request: undefined }, item.outcome), ...item, ageMs: born && now - born });
    }
    return answer;
  } catch (error) {
    tellFailure(options, asked, error, performance.now() - began);
    throw error instanceof IdempotencyRefusal ? tellTime(error, asked.intent.key) : error;
  }
}

/** Tells the application of a request that gets no answer from here but an error; `ms` as in its outcome. */
export function tellFailure(options: CompleteOptions, asked: Asked, error: unknown, ms: number): void {
  const isRefusal = error instanceof IdempotencyRefusal;
  const operationId = (isRefusal && error.operationId !== undefined && operationUuid(error.operationId)) || undefined;
  options.observe({ ...outcomeOf(asked, isRefusal ? OUTCOME_OF[error.code] : 'failed'), operationId, ms, error });
}

function meaningOf({ replayed, waited, isDuplicate, expiresAt }: Answer): RequestOutcome['outcome'] {
  if (replayed) return waited ? 'waited' : 'replayed';
  if (isDuplicate) return 'possible-duplicate';
  return expiresAt ? 'executed' : 'pending';
}

function outcomeOf({ intent, retry, request }: Asked, outcome: RequestOutcome['outcome']): RequestOutcome {
  return {
    operation: intent.operation,
    outcome,
    accountId: intent.accountId,
    key: intent.key,
    operationId: undefined,
    isRetry: retry.isRetry,
    retryReason: retry.reason,
    retryAttempt: retry.attempt,
    ms: undefined,
    ageMs: undefined,
    traceparent: null,
    error: undefined,
    request,
  };
}
