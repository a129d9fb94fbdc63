import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OPTIONS, type CompleteOptions } from '../options.js';
import { BatchedReader } from '../postgres/batched-reader.js';
import { commitsHang } from '../postgres/commits.js';
import { isConnectionLost, isRetryable } from '../postgres/errors.js';
import { commitDecision, type End, type Way } from '../protocol/commit.js';
import { CommitUnconfirmed } from '../protocol/confirm.js';
import { findRecord, type Intent } from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import { firstHeld, type HeldOperation } from '../steps/held-operation.js';
import { StepRegistry } from '../steps/step-registry.js';
import { StepRunner, type Driven } from '../steps/step-runner.js';
import { AccountTurns, type Queue } from './account-turns.js';
import { endOf, type AttemptEnd, type Interrupted } from './attempt-end.js';
import { meaningOfRecord, type ClaimResult } from './claim-check.js';
import { Claim, type KeyedRequest } from './claim.js';
import type { Leader } from './in-flight-keys.js';
import { lateRequestsOf } from './late-requests.js';
import { within } from './within.js';
import { NewKeyPredictor } from './new-key-predictor.js';

/** Behind a claim; again where the database rolled the work back for reasons that lie in other transactions. */
export const LOCKED: Way = { optimistic: false, runs: 5, mayRunAgain: isRetryable, pauseMs: (run) => 20 * run };
/** Before the claim is known, once; what it doesn't decide is left to the other way. */
const OPTIMISTIC: Way = { ...LOCKED, optimistic: true, runs: 1 };
const LOCKED_AFTER_OPTIMISTIC: Way = { ...LOCKED, runs: LOCKED.runs - OPTIMISTIC.runs };

const BY_A_RETRY = { taker: 'retry', words: 'by a retry' } as const;

/**
 * Attempts at requests, from the claim to the COMMIT: the key, the handler's work and the response are committed all
 * together or not at all; or it turns out that there is an answer already.
 */
@Injectable()
export class Attempts {
  private readonly predictor = new NewKeyPredictor();
  private readonly reader: BatchedReader;
  private readonly turns: AccountTurns;

  constructor(
    private readonly dataSource: DataSource,
    private readonly steps: StepRunner,
    private readonly registry: StepRegistry,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {
    this.reader = new BatchedReader(dataSource);
    const { accountShare: share, accountQueue: queue } = options;
    const waited = (ms: number): void => options.notice({ kind: 'queued', ms });
    this.turns = new AccountTurns({ ...poolOf(dataSource), share, queue, waited });
  }

  /** Who waits for the turn of their account at this moment. */
  get queue(): Queue {
    return this.turns.queue;
  }

  /**
   * A stored answer costs one statement, a claim two packets, and an optimistic handler that only writes one packet in all.
   * What is tried first is a guess by the key; what comes of it is not. `leader` learns when the claim is won.
   * @throws IdempotencyRefusal reused, expired, unavailable, rate-limited; and what the handler threw that isn't final
   */
  async make(request: KeyedRequest, leader: Leader): Promise<AttemptEnd> {
    const found = this.looksFirst(request) ? await this.find(request.intent) : undefined;
    if (found) this.predictor.record(request.intent.key, false);
    const end = found ? endOf(found) : await this.claim(request, leader);
    return end.kind === 'interrupted' ? this.resume(end.operationId, request) : end;
  }

  /**
   * Where a look costs less than an attempt in vain; while commits hang, since what is stored is all that can be said then; and
   * where the attempt would wait for its turn, unless the key is too young for a retry: a stored answer and an operation that is
   * to be taken over need no turn.
   */
  private looksFirst({ intent: { accountId, key }, retry }: KeyedRequest): boolean {
    if (commitsHang(this.dataSource) || retry.isRetry || !this.predictor.predictsNew(key)) return true;
    return this.predictor.mayBeOld(key) && !this.turns.hasPlaceFor(accountId);
  }

  /** What is stored under the key; undefined where that takes a claim to say. @throws IdempotencyRefusal unavailable */
  async find(intent: Intent): Promise<ClaimResult | undefined> {
    const result = await this.reader.fetch(intent.accountId, findRecord(intent)).catch(throwUnavailable);
    return meaningOfRecord(intent, lateRequestsOf(this.options), result);
  }

  private async claim(request: KeyedRequest, leader: Leader): Promise<AttemptEnd | Interrupted> {
    const { intent } = request;
    const claim = new Claim(request, this.options, this.registry, ({ kind }) => {
      if (kind === 'won') leader.learn('won');
    });
    const end = await this.turns.inTurn(intent.accountId, () => this.commit(request, claim));
    // Once for each key; what was refused before its claim tells nothing.
    if (end.kind !== 'abandoned' || end.opened) this.predictor.record(intent.key, end.kind !== 'lost');
    switch (end.kind) {
      case 'lost':
        return endOf(end.found, intent.operationId);
      case 'committed': {
        const answer = await this.committed(request, end);
        return answer.kind === 'completed' ? { ...answer, isDuplicate: claim.isDuplicate, items: claim.items } : answer;
      }
      case 'abandoned':
        return this.abandoned(claim, intent, end);
      case 'undecided':
        throw new Error('an attempt behind the claim decides');
    }
  }

  /** Optimistically first, where the handler asks for that. */
  private async commit({ intent, optimistic }: KeyedRequest, claim: Claim): Promise<End<ClaimResult>> {
    if (!optimistic) return commitDecision(this.dataSource, claim, LOCKED);
    const end = await commitDecision(this.dataSource, claim, OPTIMISTIC);
    if (end.kind !== 'undecided') return end;
    const found = await this.find(intent);
    return found ? { kind: 'lost', found } : commitDecision(this.dataSource, claim, LOCKED_AFTER_OPTIMISTIC);
  }

  private async committed(
    request: KeyedRequest,
    { decision, result }: Extract<End<ClaimResult>, { kind: 'committed' }>,
  ): Promise<AttemptEnd> {
    const { intent } = request;
    if (decision.kind === 'next' && decision.pending) {
      return this.drive(firstHeld(intent, { ...decision, pending: decision.pending }), request);
    }
    const [row] = (result?.rows ?? []) as { expires_at: Date }[];
    if (decision.kind !== 'store' || !row) throw new Error('a request commits a step or an answer');
    const record = {
      operationId: intent.operationId,
      response: decision.response,
      expiresAt: row.expires_at,
      traceparent: intent.traceparent,
      remainingMs: intent.windowMs,
      bornAt: performance.now(),
    };
    return { kind: 'completed', record, replayed: false };
  }

  private async abandoned(
    claim: Claim,
    intent: Intent,
    { error, opened }: Extract<End<ClaimResult>, { kind: 'abandoned' }>,
  ): Promise<AttemptEnd | Interrupted> {
    if (error instanceof CommitUnconfirmed || isConnectionLost(error)) throw unavailable(error);
    // Refused before its claim, by a validation whose rules may have changed since the key was used: a stored answer goes first.
    const found = opened ? undefined : await claim.probe(this.dataSource).catch(throwUnavailable);
    if (found && found.kind !== 'won') return endOf(found, intent.operationId);
    throw error;
  }

  /** A crash, or an unknown outcome, left the operation between two phases: this retry takes it over and finishes it. */
  private async resume(operationId: string, request: KeyedRequest): Promise<AttemptEnd> {
    const { accountId } = request.intent;
    const held = await this.steps.takeOver(this.dataSource, accountId, operationId, BY_A_RETRY).catch(throwUnavailable);
    return held ? this.drive(held, request) : { kind: 'in-progress', operationId };
  }

  /** Waits for the steps as long as a request may; they go on without it. */
  private async drive(held: HeldOperation, { deadline }: KeyedRequest): Promise<AttemptEnd> {
    const budget = Math.max(this.options.stepBudgetMs, deadline - performance.now());
    const pending: Driven = { kind: 'pending', response: held.pending };
    const driven = await within(budget, this.steps.drive(this.dataSource, held), pending);
    if (driven.kind === 'undone') throw driven.error;
    if (driven.kind === 'pending') return { ...driven, operationId: held.operationId, traceparent: held.traceparent };
    return { kind: 'completed', record: driven.record, replayed: driven.stored };
  }
}

/** As many connections as node-postgres' pool opens, and as long as it lets one wait for them; TypeORM is told the first in one of two ways. */
function poolOf({ options }: DataSource): { places: number; waitMs: number } {
  const { poolSize, extra } = options as { poolSize?: number; extra?: { max?: number; connectionTimeoutMillis?: number } };
  return { places: extra?.max ?? poolSize ?? 10, waitMs: extra?.connectionTimeoutMillis ?? 0 };
}

function throwUnavailable(error: unknown): never {
  throw isConnectionLost(error) ? unavailable(error) : error;
}

function unavailable(cause: unknown): IdempotencyRefusal {
  return new IdempotencyRefusal('service-unavailable', { cause });
}
