import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OPTIONS, type CompleteOptions } from '../options.js';
import { HandlerTransaction } from '../postgres/handler-transaction.js';
import { queryAs } from '../postgres/account-scope.js';
import type { Call, Statement } from '../postgres/statement.js';
import { decisionOf } from '../protocol/decision.js';
import type { StepEnd, StepRun } from '../step.js';
import type { Transaction } from '../transaction.js';
import { noticeOf, runOf, type HeldOperation, type HeldRow } from './held-operation.js';
import { Settlement } from './settlement.js';
import { StepRegistry } from './step-registry.js';
import { StepRunner } from './step-runner.js';
import { takeUnheld } from './takeover.store.js';

/** An operation that was taken over to be settled from outside, and is left to nobody else while its lease lasts. */
export interface TakenOperation {
  /** Name of the step that it waits for. */
  readonly step: string;
  /** uuid of what that step is about. */
  readonly subjectId: string;
  /** A run of the step, for whoever asks the outside in its stead. */
  readonly run: StepRun;
}

/** Who said what an operation came to. */
export interface Word {
  event: 'decided' | 'provider-answered';
  detail: string;
}

/** Settles operations that wait for a step by a word that comes from elsewhere, as one of the things that a transaction does. */
@Injectable()
export class OutsideSettlements {
  private readonly held = new WeakMap<TakenOperation, HeldOperation>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly steps: StepRegistry,
    private readonly runner: StepRunner,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /** See Operations.take. */
  async take(accountId: string, operationId: string, by: string): Promise<TakenOperation | null> {
    const call = takeUnheld({ accountId, operationId }, { taker: 'decision', words: by }, this.steps.names, this.options);
    const [row] = await queryAs<HeldRow>(this.dataSource, accountId, call);
    if (!row) return null;
    const held = this.runner.taken(row, 'decision');
    const taken = { step: held.step, subjectId: held.subjectId, run: runOf(this.dataSource, held) };
    this.held.set(taken, held);
    return taken;
  }

  /** See Operations.settleTaken. */
  async settle(tx: Transaction, taken: TakenOperation, told: Word, work: (own: Transaction) => Promise<StepEnd>): Promise<boolean> {
    const held = this.held.get(taken);
    if (!held || !(tx instanceof HandlerTransaction)) throw new Error('only what was taken is settled, in a transaction of the engine');
    // What follows is left to the recoverer: nobody drives it here.
    const settlement = new Settlement(held, work, { ...this.options, leaseMs: 0 }, this.steps, told);
    const send = (call: Call): Promise<unknown[]> => tx.run(call as Statement, call.values);
    for (const call of settlement.check.calls()) {
      if ((await send(call)).length > 0) continue;
      this.options.notice({ kind: 'fenced', operation: noticeOf(held) });
      return false;
    }
    const decision = decisionOf(await work(tx.as(settlement.identity)), settlement);
    if (decision.kind === 'undo') throw new Error('what is settled from outside is not taken back');
    for (const call of settlement.callsFor(decision)) await send(call);
    return true;
  }
}
