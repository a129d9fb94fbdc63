import type { DataSource } from 'typeorm';
import type { CompleteOptions } from '../options.js';
import type { Render } from '../rendering.js';
import { violates } from '../postgres/errors.js';
import type { OperationIdentity } from '../postgres/handler-transaction.js';
import type { OpeningCheck } from '../postgres/opening-check.js';
import { askAlone } from '../postgres/transaction-connection.js';
import type { Call } from '../postgres/statement.js';
import type { Party } from '../protocol/commit.js';
import type { Confirmation } from '../protocol/confirm.js';
import type { Committable, Work } from '../protocol/decision.js';
import { CLAIM_CONSTRAINT, makeRoom, insertCompleted, type Intent } from '../records/record.store.js';
import { appendTimeline } from '../records/story.store.js';
import { insertRunning } from '../steps/operation.store.js';
import { providerKeyOf } from '../steps/held-operation.js';
import type { StepRegistry } from '../steps/step-registry.js';
import { claimAtOnce, claimCheck, type ClaimResult } from './claim-check.js';
import { withDuplicates } from './duplicates.js';
import type { ToldItem } from './item-outcome.js';
import { itemsRunner } from './items.js';
import { lateRequestsOf, type LateRequests } from './late-requests.js';
import type { SaidOfRetry } from './retry-reason.js';

/** One request and how to run its work. */
export interface KeyedRequest {
  intent: Intent;
  work: Work;
  /** Status of a plain value that the handler returns. */
  status: number;
  /** What is stored for its errors. */
  render: Render;
  /** The handler may run before its claim is known to be won. */
  optimistic: boolean;
  /** Of the monotonic clock: until then the request may wait for a result. */
  deadline: number;
  /** The client means it, whatever was asked before under another key. */
  lenient: boolean;
  retry: SaidOfRetry;
}

/** A request as a party to the protocol: it commits under its key, once, with the work. */
export class Claim implements Party<ClaimResult> {
  readonly identity: OperationIdentity;
  readonly work: Work;
  readonly status: number;
  readonly remoteApply: boolean;
  readonly traceId: string | null;
  readonly render: Render;
  /** The key was free, and the request is refused because of another one that asked the same. */
  isDuplicate = false;
  /** What became of the items of the decision that is committed. */
  items: readonly ToldItem[] = [];
  /** What became of those of the work. */
  private itemsOfWork: ToldItem[] = [];
  private readonly intent: Intent;
  private readonly late: LateRequests;
  private readonly lenient: boolean;

  /** `tell` hears what the key turned out to be as soon as that is known. */
  constructor(
    { intent, work, status, render, lenient }: KeyedRequest,
    private readonly options: CompleteOptions,
    private readonly steps: StepRegistry,
    private readonly tell: (found: ClaimResult) => void,
  ) {
    const { accountId, key, operationId, operation, traceId, traceparent } = intent;
    // A handler's step is the first one of its operation.
    const nextProviderKey = (step: string): string => providerKeyOf({ accountId, key, step, stepNo: 1 });
    const items = itemsRunner(intent, options, (told) => this.itemsOfWork.push(...told));
    this.identity = { operationId, idempotencyKey: key, traceparent, owner: operation, nextProviderKey, items };
    this.work = (tx) => {
      this.itemsOfWork = [];
      return work(tx).catch((error: unknown) => {
        this.itemsOfWork = [];
        throw error;
      });
    };
    this.status = status;
    this.remoteApply = options.remoteApply.includes(operation);
    this.traceId = traceId;
    this.render = render;
    this.intent = intent;
    this.late = lateRequestsOf(options);
    this.lenient = lenient;
  }

  get check(): OpeningCheck<ClaimResult> {
    return this.telling(withDuplicates(this.refusalCheck, this.intent, this.lenient));
  }

  get refusalCheck(): OpeningCheck<ClaimResult> {
    return claimCheck(this.intent, this.late);
  }

  private telling(check: OpeningCheck<ClaimResult>): OpeningCheck<ClaimResult> {
    return {
      calls: () => check.calls(),
      evaluate: (results) => {
        const opened = check.evaluate(results);
        this.isDuplicate = opened.refusal !== undefined;
        this.tell(opened.found);
        return opened;
      },
    };
  }

  knowsStep(name: string): boolean {
    return this.steps.find(name) !== undefined;
  }

  callsFor(decision: Committable, found: ClaimResult): Call[] {
    const { intent } = this;
    // A refusal that takes the place of this decision has none.
    this.items = this.itemsOfWork;
    this.itemsOfWork = [];
    const replaced = found.kind === 'won' && found.replaces ? [makeRoom(intent, found.replaces)] : [];
    switch (decision.kind) {
      case 'store':
        return [...replaced, insertCompleted(intent, decision.response, decision.resource)];
      case 'next': {
        const { step, subjectId, pending, resource } = decision;
        if (!pending) throw new Error(`${this.identity.owner} names its first step without a pending reply`);
        return [
          ...replaced,
          appendTimeline(intent, ['claimed', intent.operation], ['step-started', step]),
          insertRunning(intent, { step, subjectId, pending, resource }, this.options),
        ];
      }
      default:
        throw new Error(`${this.identity.owner} returned ${decision.kind}(…), which belongs to a step`);
    }
  }

  callsAtOnce(decision: Committable): Call[] | undefined {
    // Behind the look for duplicates only; what the look finds is a refusal, which is stored at once.
    const looks = this.intent.duplicateWindowMs !== undefined && decision.kind === 'store' && decision.response.status < 300;
    if (decision.kind !== 'store' || looks) return undefined;
    return claimAtOnce(this.intent, decision.response, decision.resource, this.late);
  }

  isLostRace(error: unknown): boolean {
    return violates(error, CLAIM_CONSTRAINT);
  }

  /** The lock tells: with a record, it was committed; with the lock and no record, it was rolled back; without the lock, it may still be. */
  async lookAfter(dataSource: DataSource, decision: Committable): Promise<Confirmation<ClaimResult>> {
    const found = await this.probe(dataSource);
    if (found.kind === 'won') return { kind: 'rolled-back' };
    if (found.kind === 'running' && found.operationId === null) return { kind: 'unknown' };
    const isMine = found.kind === 'running' && found.operationId === this.intent.operationId;
    return isMine && decision.kind === 'next' ? { kind: 'committed' } : { kind: 'lost', found };
  }

  /**
   * What the key stands for at this moment, without keeping it: `won` means that it is free. One packet and no transaction
   * beyond it. @throws the database's error, and what a pool says that has no connection
   */
  probe(dataSource: DataSource): Promise<ClaimResult> {
    return askAlone(dataSource, this.refusalCheck);
  }
}
