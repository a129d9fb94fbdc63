import type { DataSource } from 'typeorm';
import type { CompleteOptions } from '../options.js';
import { renderer, type Render } from '../rendering.js';
import type { OperationIdentity } from '../postgres/handler-transaction.js';
import type { OpeningCheck } from '../postgres/opening-check.js';
import type { Call } from '../postgres/statement.js';
import type { Party } from '../protocol/commit.js';
import type { Confirmation } from '../protocol/confirm.js';
import type { Committable, Work } from '../protocol/decision.js';
import { findOperation } from '../records/record.store.js';
import { advance, completeHeld, fenceCheck, parkHeld, takeBack } from './operation.store.js';
import type { StepRegistry } from './step-registry.js';
import { appendTimeline, type TimelineEvent } from '../records/story.store.js';
import { clientKeyOf, providerKeyOf, type HeldOperation } from './held-operation.js';

/** What the holder of an operation settles, as a party to the protocol: it commits while the attempt and the step are the record’s. */
export class Settlement implements Party<'held' | 'lost'> {
  readonly check: OpeningCheck<'held' | 'lost'>;
  readonly identity: OperationIdentity;
  readonly traceId: string | null;
  readonly remoteApply: boolean;
  readonly render: Render;
  /** Of a plain value; steps return none. */
  readonly status = 200;

  constructor(
    private readonly held: HeldOperation,
    readonly work: Work,
    private readonly options: CompleteOptions,
    private readonly steps: StepRegistry,
    /** Who told what is settled, for the timeline. */
    private readonly told: { event: TimelineEvent; detail: string } = {
      event: 'provider-answered',
      detail: `${held.step}, attempt ${held.attempt}`,
    },
  ) {
    const nextProviderKey = (step: string): string => providerKeyOf({ ...held, step, stepNo: held.stepNo + 1 });
    this.check = fenceCheck(held);
    const { operationId, key, step, traceparent } = held;
    this.identity = { operationId, idempotencyKey: clientKeyOf(key), traceparent, owner: `step ${step}`, nextProviderKey };
    this.traceId = held.traceId;
    this.remoteApply = options.remoteApply.includes(held.operation);
    this.render = renderer(options.render);
  }

  knowsStep(name: string): boolean {
    return this.steps.find(name) !== undefined;
  }

  callsFor(decision: Committable): Call[] {
    const { held, options } = this;
    const answered: [TimelineEvent, string] = [this.told.event, this.told.detail];
    switch (decision.kind) {
      case 'store': {
        const { response, resource } = decision;
        return [appendTimeline(held, answered, ['settled', `${response.status}`]), completeHeld(held, response, resource)];
      }
      case 'next':
        return [appendTimeline(held, answered, ['step-started', decision.step]), advance(held, decision.step, decision.subjectId, options)];
      case 'park':
        return [appendTimeline(held, ['parked', decision.reason]), parkHeld(held, decision, options)];
      case 'undo':
        if (held.attempt > 1 || held.stepNo > 1) throw new Error(`undo: ${held.step} is not at its first attempt, or not the first step`);
        return [takeBack(held)];
    }
  }

  /** The record tells; while this runner still holds it as before, nothing was committed. */
  async lookAfter(dataSource: DataSource, decision: Committable): Promise<Confirmation<'held' | 'lost'>> {
    const { held } = this;
    const found = await findOperation(dataSource, held.accountId, held.operationId);
    if (!found) return decision.kind === 'undo' ? { kind: 'committed' } : { kind: 'lost', found: 'lost' };
    if (found.kind === 'completed') return decision.kind === 'store' ? { kind: 'committed' } : { kind: 'lost', found: 'lost' };
    if (found.attempt !== held.attempt) return { kind: 'lost', found: 'lost' };
    const isAsBefore = found.stepNo === held.stepNo && !found.parked;
    const isDecided = decision.kind === 'next' ? found.stepNo === held.stepNo + 1 : decision.kind === 'park' && found.parked;
    if (isAsBefore) return { kind: 'rolled-back' };
    return isDecided ? { kind: 'committed' } : { kind: 'lost', found: 'lost' };
  }
}
