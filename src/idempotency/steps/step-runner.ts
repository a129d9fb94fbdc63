import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { STEPS } from '../channels.js';
import type { Taker } from '../observations.js';
import { OPTIONS, type CompleteOptions } from '../options.js';
import { queryAs } from '../postgres/account-scope.js';
import { assertNoTransaction } from '../postgres/connection-guard.js';
import { isConnectionLost, isRetryable } from '../postgres/errors.js';
import { commitDecision, type End, type Way } from '../protocol/commit.js';
import { CommitUnconfirmed } from '../protocol/confirm.js';
import type { Work } from '../protocol/decision.js';
import { findOperation, type Completed } from '../records/record.store.js';
import { UNTRIMMED_ATTEMPTS, trimTimeline } from '../records/story.store.js';
import type { StoredResponse } from '../reply.js';
import { park } from '../step.js';
import { Settlement } from './settlement.js';
import { heldOf, noticeOf, runOf, runningStep, type HeldOperation, type HeldRow } from './held-operation.js';
import { takeOver, type GoesOn } from './takeover.store.js';
import { StepRegistry } from './step-registry.js';

/** Where an operation stands when its runner lets go of it. */
export type Driven =
  /** `stored`: another runner had completed it. */
  | { kind: 'completed'; record: Completed; stored: boolean }
  /** `resumableInMs`: when it may be called again, where that is known. */
  | { kind: 'pending'; response: StoredResponse; resumableInMs?: number | undefined }
  | { kind: 'undone'; error: Error };

/** What one run of a step came to: an end, or the same operation at its next step. */
type Stepped = Driven | { kind: 'advanced'; held: HeldOperation };

/** The fence lets the same runner settle again after whatever was not applied, a lost connection too. */
const SETTLING: Way = {
  optimistic: false,
  runs: 5,
  mayRunAgain: (error) => isRetryable(error) || isConnectionLost(error) || error instanceof CommitUnconfirmed,
  pauseMs: (run) => 50 * 2 ** run,
};

/**
 * The one way in which steps run, whether the request just arrived, the client retried, or the recoverer found the
 * operation abandoned: call, outside any transaction; settle, inside one that only the present holder can commit.
 */
@Injectable()
export class StepRunner implements BeforeApplicationShutdown {
  private readonly log = new Logger('Steps');
  private readonly running = new Set<Promise<Driven>>();

  constructor(
    private readonly steps: StepRegistry,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /** Operations in hand are settled or parked before the connections go. */
  async beforeApplicationShutdown(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }

  /** Takes an interrupted operation over; null when it runs, is finished, was parked just now, somebody was faster, or this process doesn't know its step. */
  async takeOver(dataSource: DataSource, accountId: string, operationUuid: string, by: GoesOn): Promise<HeldOperation | null> {
    const call = takeOver({ accountId, operationId: operationUuid }, by, this.steps.names, this.options);
    const [row] = await queryAs<HeldRow>(dataSource, accountId, call);
    return row ? this.taken(row, by.taker) : null;
  }

  /** What a taking statement returned, from now on in the hands of this process. */
  taken(row: HeldRow, by: Taker): HeldOperation {
    const held = heldOf(row);
    this.options.notice({ kind: 'taken-over', by, found: held.wasParked ? 'parked' : 'lease', operation: noticeOf(held) });
    return held;
  }

  /** Drives an operation that this process holds until it is completed, parked, undone, or lost to somebody else. */
  drive(dataSource: DataSource, held: HeldOperation): Promise<Driven> {
    const driven = held.attempt === 1 ? this.runSteps(dataSource, held) : this.recover(dataSource, held);
    this.running.add(driven);
    void driven.finally(() => this.running.delete(driven)).catch(() => undefined);
    return driven;
  }

  /** What was taken over is driven like anything else, and what that came to is told. */
  private async recover(dataSource: DataSource, held: HeldOperation): Promise<Driven> {
    const began = performance.now();
    // One that fails leaves it to the next attempt.
    if (held.attempt > UNTRIMMED_ATTEMPTS) await queryAs(dataSource, held.accountId, trimTimeline(held)).catch(() => undefined);
    const driven = await this.runSteps(dataSource, held);
    const result = driven.kind === 'completed' && driven.stored ? 'lost' : driven.kind;
    this.options.notice({ kind: 'recovered', result, ms: performance.now() - began, operation: noticeOf(held) });
    return driven;
  }

  private async runSteps(dataSource: DataSource, start: HeldOperation): Promise<Driven> {
    for (let held = start; ;) {
      const stepped = await STEPS.tracePromise(() => this.runStep(dataSource, held), runningStep(held));
      if (stepped.kind !== 'advanced') return stepped;
      held = stepped.held;
    }
  }

  private async runStep(dataSource: DataSource, held: HeldOperation): Promise<Stepped> {
    const run = runOf(dataSource, held);
    const step = this.steps.find(held.step);
    try {
      if (!step) throw new Error(`no step is named ${held.step}`);
      assertNoTransaction(`step ${held.step}`);
      const outcome = await step.call(held.subjectId, run);
      return await this.settle(dataSource, held, (tx) => step.settle(tx, held.subjectId, outcome, run));
    } catch (error) {
      // Whatever went wrong, the outcome outside is unknown. The operation is kept, called again later, and reported.
      this.log.error({ err: error, operationId: run.operationId, step: held.step, attempt: held.attempt }, 'a step failed');
      return this.parkAfterError(dataSource, held);
    }
  }

  /** The account sees the reason in the timeline, so it doesn't say what went wrong inside. */
  private async parkAfterError(dataSource: DataSource, held: HeldOperation): Promise<Stepped> {
    const parked = park('an error on this side; it will be called again');
    try {
      return await this.settle(dataSource, held, () => Promise.resolve(parked));
    } catch {
      // The database is gone as well; the lease will run out and the recoverer will come.
      return { kind: 'pending', response: held.pending };
    }
  }

  /** @throws what `settle` threw that is no refusal, and the database's error */
  private async settle(dataSource: DataSource, held: HeldOperation, work: Work): Promise<Stepped> {
    const end = await commitDecision(dataSource, new Settlement(held, work, this.options, this.steps), SETTLING);
    switch (end.kind) {
      case 'committed':
        return this.committed(dataSource, held, end);
      case 'lost':
        this.options.notice({ kind: 'fenced', operation: noticeOf(held) });
        return this.present(dataSource, held, { stored: true });
      case 'abandoned':
        throw end.error;
      case 'undecided':
        throw new Error('settling is never optimistic');
    }
  }

  private async committed(
    dataSource: DataSource,
    held: HeldOperation,
    { decision, result }: Extract<End<'held' | 'lost'>, { kind: 'committed' }>,
  ): Promise<Stepped> {
    switch (decision.kind) {
      case 'next':
        return { kind: 'advanced', held: { ...held, step: decision.step, stepNo: held.stepNo + 1, subjectId: decision.subjectId } };
      case 'park':
        return { kind: 'pending', response: held.pending, resumableInMs: this.options.recoveryIntervalMs };
      case 'undo':
        return { kind: 'undone', error: decision.error };
      case 'store': {
        const [row] = (result?.rows ?? []) as { expires_at: Date }[];
        // Confirmed by a look: the record has the answer.
        if (!row) return this.present(dataSource, held, { stored: false });
        const { operationId, traceparent, windowMs, bornAt } = held;
        const record = { operationId, response: decision.response, expiresAt: row.expires_at, traceparent, remainingMs: windowMs, bornAt };
        return { kind: 'completed', record, stored: false };
      }
    }
  }

  /** Where an operation stands that this runner no longer holds. */
  private async present(dataSource: DataSource, held: HeldOperation, { stored }: { stored: boolean }): Promise<Driven> {
    const found = await findOperation(dataSource, held.accountId, held.operationId);
    return found?.kind === 'completed' ? { ...found, stored } : { kind: 'pending', response: held.pending };
  }
}
