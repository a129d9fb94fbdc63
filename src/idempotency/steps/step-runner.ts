import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Call, Result } from '../postgres/pipeline.js';
import { assertNoTransaction, inside } from '../postgres/connection-guard.js';
import { publicOperationId } from '../operation-id.js';
import {
  advance,
  completeHeld,
  fenceGate,
  forget,
  heldOf,
  note,
  parkHeld,
  providerKeyOf,
  removeHeld,
  takeOver,
  type HeldOperation,
  type HeldRow,
  type TimelineEvent,
} from './operation.store.js';
import { OPTIONS, type CompleteOptions } from '../options.js';
import { isConnectionLost, isRetryable } from '../postgres/errors.js';
import { findOperation, type Completed } from '../records/record.store.js';
import { toResponse, type StoredResponse } from '../response.js';
import { stepName, type StepEnd, type StepRun } from '../step.js';
import { GateLost, Transaction, type Commit } from '../transaction.js';
import { StepRegistry } from './step-registry.js';

/** Where an operation stands when its runner lets go of it. */
export type Driven =
  /** `stored`: another runner had completed it. */
  | { kind: 'completed'; record: Completed; stored: boolean }
  | { kind: 'pending'; response: StoredResponse }
  | { kind: 'undone'; error: Error };

/** A decision to be committed: what a step said, or a refusal that it threw, already in bytes. */
type Decision = StepEnd | { kind: 'refusal'; response: StoredResponse };
type Settled = Driven | { kind: 'advanced'; held: HeldOperation } | { kind: 'lost' };

const MAX_SETTLES = 5;

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

  /** Takes an interrupted operation over; null when it runs, is finished, somebody was faster, or this process doesn't know its step. */
  async takeOver(dataSource: DataSource, accountId: string, operationUuid: string, by: string): Promise<HeldOperation | null> {
    const { text, values } = takeOver({ accountId, operationId: operationUuid }, by, this.steps.names, this.options);
    const [row] = await dataSource.query<HeldRow[]>(text, values);
    return row ? heldOf(row) : null;
  }

  /** Drives an operation that this process holds until it is completed, parked, undone, or lost to somebody else. */
  drive(dataSource: DataSource, held: HeldOperation): Promise<Driven> {
    const driven = this.runSteps(dataSource, held);
    this.running.add(driven);
    void driven.finally(() => this.running.delete(driven)).catch(() => undefined);
    return driven;
  }

  private async runSteps(dataSource: DataSource, start: HeldOperation): Promise<Driven> {
    for (let held = start; ;) {
      const settled = await this.runStep(dataSource, held);
      if (settled.kind === 'lost') return this.present(dataSource, held);
      if (settled.kind !== 'advanced') return settled;
      held = settled.held;
    }
  }

  private async runStep(dataSource: DataSource, held: HeldOperation): Promise<Settled> {
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
      return this.parkAfter(dataSource, held);
    }
  }

  /** The account sees the reason in the timeline, so it doesn't say what went wrong inside. */
  private async parkAfter(dataSource: DataSource, held: HeldOperation): Promise<Settled> {
    const reason = 'an error on this side; it will be called again';
    try {
      return await this.settle(dataSource, held, () => Promise.resolve({ kind: 'park', reason }));
    } catch {
      // The database is gone as well; the lease will run out and the recoverer will come.
      return { kind: 'pending', response: held.pending };
    }
  }

  private async settle(dataSource: DataSource, held: HeldOperation, decide: (tx: Transaction) => Promise<Decision>): Promise<Settled> {
    for (let run = 1; ; run += 1) {
      try {
        return await this.settleOnce(dataSource, held, decide);
      } catch (error) {
        if (!(isRetryable(error) || isConnectionLost(error)) || run === MAX_SETTLES) throw error;
        await sleep(Math.random() * 50 * 2 ** run);
      }
    }
  }

  private async settleOnce(dataSource: DataSource, held: HeldOperation, decide: (tx: Transaction) => Promise<Decision>): Promise<Settled> {
    const nextProviderKey = (step: string): string => providerKeyOf({ ...held, step, stepNo: held.stepNo + 1 });
    const tx = new Transaction(dataSource, fenceGate(held), { operationId: held.operationId, nextProviderKey });
    try {
      const decision = await inside(tx, () => decide(tx));
      await tx.begin();
      const { last, told, response } = this.statementFor(held, decision);
      if (decision.kind === 'undo') tx.write(...forget(held));
      else {
        if (decision.kind !== 'park') tx.write(...note(held, 'provider-answered', `${held.step}, attempt ${held.attempt}`));
        tx.write(...note(held, eventOf(decision), told));
      }
      const commit = await tx.commit(last);
      // Before anything else is asked of the database: with every connection taken, a second one would never come.
      await tx.release();
      return await this.committed(dataSource, held, decision, commit, response);
    } catch (thrown) {
      if (thrown instanceof GateLost || tx.found === 'lost') return { kind: 'lost' };
      const rendered = this.options.render(tx.meaningOf(thrown), { operationId: tx.operationId, traceId: held.traceId });
      if (rendered === 'not-final') throw thrown;
      await tx.release();
      return await this.settleOnce(dataSource, held, () => Promise.resolve({ kind: 'refusal', response: rendered }));
    } finally {
      await tx.release();
    }
  }

  /** The last statement, how the timeline tells it, and what the client gets if that is decided. */
  private statementFor(held: HeldOperation, decision: Decision): { last: Call; told: string; response?: StoredResponse } {
    switch (decision.kind) {
      case 'reply': {
        const response = toResponse(decision, held.operationId);
        return { last: completeHeld(held, response, decision.resource), told: `${response.status}`, response };
      }
      case 'refusal':
        return { last: completeHeld(held, decision.response, undefined), told: `${decision.response.status}`, response: decision.response };
      case 'next':
        return { last: advance(held, stepName(decision.step), decision.subjectId, this.options), told: stepName(decision.step) };
      case 'park':
        return { last: parkHeld(held, decision.reason, this.options), told: decision.reason };
      case 'undo':
        return { last: removeHeld(held), told: '' };
    }
  }

  private async committed(
    dataSource: DataSource,
    held: HeldOperation,
    decision: Decision,
    commit: Commit,
    response: StoredResponse | undefined,
  ): Promise<Settled> {
    if (commit.kind === 'rolled-back') throw commit.error;
    // Committed or not, the record tells; when it wasn't, this runner still holds it and settles again.
    if (commit.kind === 'unknown') return this.afterUnknown(dataSource, held, decision, commit.error);
    switch (decision.kind) {
      case 'next':
        return {
          kind: 'advanced',
          held: { ...held, step: stepName(decision.step), stepNo: held.stepNo + 1, subjectId: decision.subjectId },
        };
      case 'park':
        return { kind: 'pending', response: held.pending };
      case 'undo':
        return { kind: 'undone', error: decision.error };
      default:
        return completedBy(held, commit.result, response);
    }
  }

  private async afterUnknown(dataSource: DataSource, held: HeldOperation, decision: Decision, cause: unknown): Promise<Settled> {
    const found = await findOperation(dataSource, held.accountId, held.operationId);
    if (!found) return decision.kind === 'undo' ? { kind: 'undone', error: decision.error } : { kind: 'lost' };
    if (found.kind === 'completed') return { ...found, stored: false };
    if (found.attempt !== held.attempt) return { kind: 'lost' };
    // Not applied: the fence lets this same runner try again.
    if (found.stepNo === held.stepNo && !found.parked) throw cause;
    if (found.parked || decision.kind !== 'next') return { kind: 'pending', response: held.pending };
    return { kind: 'advanced', held: { ...held, step: stepName(decision.step), stepNo: found.stepNo, subjectId: decision.subjectId } };
  }

  /** Where an operation stands that this runner has lost. */
  private async present(dataSource: DataSource, held: HeldOperation): Promise<Driven> {
    const found = await findOperation(dataSource, held.accountId, held.operationId);
    return found?.kind === 'completed' ? { ...found, stored: true } : { kind: 'pending', response: held.pending };
  }
}

/** The answer that this runner has just committed. */
function completedBy({ operationId, windowMs }: HeldOperation, result: Result, response: StoredResponse | undefined): Driven {
  const [row] = result.rows as { expires_at: Date }[];
  if (!row || !response) throw new Error('completed without a row or a response');
  return { kind: 'completed', record: { operationId, response, expiresAt: row.expires_at, remainingMs: windowMs }, stored: false };
}

/** How a decision is told in the timeline. */
function eventOf(decision: Decision): TimelineEvent {
  if (decision.kind === 'park') return 'parked';
  return decision.kind === 'next' ? 'step-started' : 'settled';
}

function runOf(dataSource: DataSource, held: HeldOperation): StepRun {
  return {
    accountId: held.accountId,
    operationId: publicOperationId(held.operationId),
    traceId: held.traceId,
    providerKey: providerKeyOf(held),
    attempt: held.attempt,
    stepNo: held.stepNo,
    ageMs: held.ageMs,
    read: (text, values) => dataSource.query(text, values),
  };
}
