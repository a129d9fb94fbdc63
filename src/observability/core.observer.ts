import { Logger } from '@nestjs/common';
import { problemOf } from '../http/problem.filter.js';
import { publicOperationId, type Notice, type NoticedOperation, type RequestOutcome } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { inTenths, type LogFields } from '../kernel/log-fields.js';
import type { LabelsOf, Metrics } from './metrics.registry.js';
import { tell, type Outcome } from './told.js';

/** Answers whose time is measured, and what each was to its key. */
const ANSWERS: Partial<Record<Outcome, LabelsOf<'idempotency_request_duration_seconds'>['answer']>> = {
  executed: 'first',
  pending: 'first',
  'possible-duplicate': 'first',
  replayed: 'replay',
  waited: 'waited',
};
const FINAL: ReadonlySet<Outcome> = new Set(['executed', 'replayed', 'waited', 'possible-duplicate']);

/** Counts what the core tells of, and writes the lines of what it does beside requests. */
export class CoreObserver {
  private readonly log = new Logger('Recovery');

  constructor(
    private readonly metrics: Metrics,
    private readonly keyHash: KeyHash,
  ) {}

  /** A request, a task or an item of a batch was answered. */
  observe(told: RequestOutcome): void {
    const { operation, retryReason = '', retryAttempt, ms, ageMs } = told;
    const outcome = told.outcome === 'failed' ? failureOf(told.error) : told.outcome;
    tell(told.request, { ...told, outcome });
    this.metrics.count('idempotency_requests_total', { operation, outcome, retry_reason: retryReason });
    const answer = ANSWERS[outcome];
    if (answer && ms !== undefined) this.metrics.observe('idempotency_request_duration_seconds', { operation, answer }, ms / 1000);
    if (ageMs !== undefined) this.metrics.observe('idempotency_replay_age_seconds', { operation }, ageMs / 1000);
    // An item has no headers of its own.
    if (!told.isRetry || ms === undefined) return;
    this.metrics.count('idempotency_retries_total', { operation, reason: retryReason });
    if (FINAL.has(outcome)) this.metrics.count('idempotency_retries_succeeded_total', { operation, reason: retryReason });
    if (retryAttempt !== undefined) this.metrics.observe('idempotency_retry_attempts', { operation }, retryAttempt);
  }

  /** Something else happened in the core. */
  notice(notice: Notice): void {
    switch (notice.kind) {
      case 'queued':
        return this.metrics.observe('idempotency_turn_wait_seconds', {}, notice.ms / 1000);
      case 'archived':
        return this.metrics.count('idempotency_archived_total', {}, notice.count);
      case 'forgotten':
        return this.metrics.count('idempotency_forgotten_total', {}, notice.count);
      case 'fenced':
        this.metrics.count('idempotency_fenced_writes_total', { step: notice.operation.step });
        return this.log.warn(this.line(notice.operation, { outcome: 'fenced', ms: 0 }), 'a settlement was refused');
      case 'taken-over':
        return this.metrics.count('idempotency_takeovers_total', {
          by: notice.by,
          step: notice.operation.step,
          found: notice.found,
        });
      case 'recovered':
        this.metrics.count('idempotency_recoveries_total', { step: notice.operation.step, result: notice.result });
        return this.log.log(this.line(notice.operation, { outcome: notice.result, ms: inTenths(notice.ms) }), 'recovery');
    }
  }

  private line({ accountId, operationId, key, step, attempt }: NoticedOperation, rest: Pick<LogFields, 'outcome' | 'ms'>): LogFields {
    const account = publicId('acct', accountId);
    return {
      accountId: account,
      keyHash: key === null ? undefined : this.keyHash(account, key),
      operationId: publicOperationId(operationId),
      step,
      attempt,
      ...rest,
    };
  }
}

/** What an error that stored nothing tells the client. */
function failureOf(error: unknown): Outcome {
  const { status } = problemOf(error);
  if (status === 429) return 'rate-limited';
  if (status === 503) return 'unavailable';
  return status < 500 ? 'rejected' : 'failed';
}
