import type { CompleteOptions, RequestOutcome } from '../options.js';
import type { Intent } from '../records/record.store.js';
import { IdempotencyRefusal, type RefusalCode } from '../refusal.js';
import type { Answer } from './executor.js';
import { tellTime } from './late-requests.js';
import type { SaidOfRetry } from './retry-reason.js';

const OUTCOME_OF: Record<RefusalCode, RequestOutcome['outcome']> = {
  'idempotency-key-missing': 'failed',
  'idempotency-key-invalid': 'failed',
  'idempotency-request-in-progress': 'in-progress',
  'idempotency-key-reused': 'reused',
  'idempotency-key-sealed': 'sealed',
  'idempotency-key-expired': 'expired',
  'possible-duplicate': 'failed',
  'rate-limited': 'rate-limited',
  'service-unavailable': 'failed',
};

/** Executes a request and tells the application what became of it. @throws as `execute` does; an expired key's refusal says what its time is */
export async function observed(
  options: CompleteOptions,
  { intent: { key, operation }, retry }: { intent: Intent; retry: SaidOfRetry },
  execute: () => Promise<Answer>,
): Promise<Answer> {
  const observe = (outcome: RequestOutcome['outcome'], traceparent: string | null = null): void =>
    options.observe({ operation, outcome, retryReason: retry.reason, traceparent });
  try {
    const answer = await execute();
    observe(answer.replayed ? 'replayed' : answer.expiresAt ? 'executed' : 'pending', answer.traceparent);
    return answer;
  } catch (error) {
    observe(error instanceof IdempotencyRefusal ? OUTCOME_OF[error.code] : 'failed');
    throw error instanceof IdempotencyRefusal ? tellTime(error, key) : error;
  }
}
