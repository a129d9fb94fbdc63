import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OutsideSettlements, type TakenOperation, type Word } from './steps/outside-settlement.js';
import { queryAs } from './postgres/account-scope.js';
import { findStory, listStories, type OperationStory, type RunFor, type StoryPage } from './records/story.store.js';
import { OPTIONS, type CompleteOptions } from './options.js';
import { sealKey, type Sealing } from './requests/seal.js';
import { StepRunner } from './steps/step-runner.js';
import type { StepEnd } from './step.js';
import type { Transaction } from './transaction.js';

const WAKE = `
  UPDATE idempotency_records SET next_run_at = statement_timestamp(), resumable_at = statement_timestamp()
   WHERE account_id = $1 AND operation_id = $2 AND status = 'running' AND lease_until IS NULL`;

/** Looks operations up and gets interrupted ones going. */
@Injectable()
export class Operations {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(StepRunner) private readonly steps: StepRunner,
    private readonly outside: OutsideSettlements,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  /** The story of an operation; `tx`: as that transaction has it. */
  find(accountId: string, uuid: string, tx?: Transaction): Promise<OperationStory | null> {
    return findStory(tx ? (statement, values) => tx.run(statement, values) : this.runnerFor(accountId), accountId, uuid);
  }

  /** Stories of an account, newest first. */
  list(accountId: string, page: StoryPage): Promise<OperationStory[]> {
    return listStories(this.runnerFor(accountId), accountId, page);
  }

  /**
   * Seals a key: no request with it executes from now on, even if it arrives much later. One that was used stays as it is. The
   * seal is kept as long as the archive keeps purged keys. `by`: on whose request, for the story.
   */
  seal(accountId: string, key: string, by: string): Promise<Sealing> {
    return sealKey(this.dataSource, this.options, { accountId, key, by });
  }

  /**
   * Takes an interrupted operation over and drives it, without redoing finished steps. False when it is not to be had: it runs, or
   * was parked less than a recovery interval ago. `by`: on whose request, for its timeline.
   */
  async resume(accountId: string, uuid: string, by: string): Promise<boolean> {
    const held = await this.steps.takeOver(this.dataSource, accountId, uuid, { taker: 'request', words: `by request of ${by}` });
    if (!held) return false;
    await this.steps.drive(this.dataSource, held);
    return true;
  }

  /** Lets the recoverer take a parked operation at its next look, and a retry at once, because there is news of it. */
  async wake(accountId: string, uuid: string): Promise<void> {
    await queryAs(this.dataSource, accountId, { text: WAKE, values: [accountId, uuid] });
  }

  /**
   * Takes an unfinished operation over for somebody who settles it in the place of its step, at once and not driven any
   * further: nobody else takes it while the lease lasts. Null while it is in other hands, or completed. `by`: for the timeline.
   */
  take(accountId: string, uuid: string, by: string): Promise<TakenOperation | null> {
    return this.outside.take(accountId, uuid, by);
  }

  /**
   * Settles an operation that was taken, together with what else the transaction does. `work` says what it comes to, as a
   * step's `settle` does; its transaction is the same one, in the operation's name. False: somebody else has it by now, or
   * it is completed, and `work` was not run.
   */
  settleTaken(tx: Transaction, taken: TakenOperation, told: Word, work: (own: Transaction) => Promise<StepEnd>): Promise<boolean> {
    return this.outside.settle(tx, taken, told, work);
  }

  private runnerFor(accountId: string): RunFor {
    return (statement, values) => queryAs(this.dataSource, accountId, { ...statement, values });
  }
}
