import { newOperationId, publicOperationId } from '../operation-id.js';
import type { CompleteOptions } from '../options.js';
import type { ItemsRunner, OperationIdentity } from '../postgres/handler-transaction.js';
import { inPart } from '../postgres/part.js';
import type { PostgresTransaction } from '../postgres/postgres-transaction.js';
import { toCall } from '../postgres/statement.js';
import { insertCompleted, makeRoom, type Completed, type Intent } from '../records/record.store.js';
import { appendLines, type NewLine } from '../records/story.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import { renderer } from '../rendering.js';
import { toResponse, type StoredResponse } from '../reply.js';
import { providerKeyOf } from '../steps/held-operation.js';
import type { Item, ItemOutcome, ItemsOptions, Transaction } from '../transaction.js';
import { claimSeveral } from './claim-check.js';
import { fingerprint } from './fingerprint.js';
import { hasFailed, outcomeOf, refused, wordsOn, type ToldItem } from './item-outcome.js';
import { lateRequestsOf } from './late-requests.js';
import { OUTCOME_OF } from './observe.js';

/** Executes items inside the request of this intent; `tell` hears what became of them, if the request commits. */
export function itemsRunner(batch: Intent, options: CompleteOptions, tell: (items: ToldItem[]) => void): ItemsRunner {
  return (engine, as, items, how) => new Items({ batch, options, engine, as, how, tell }, items).run();
}

/** What the items are executed in, and how. */
interface Surroundings {
  batch: Intent;
  options: CompleteOptions;
  engine: PostgresTransaction;
  as: (identity: OperationIdentity) => Transaction;
  how: ItemsOptions;
  tell: (items: ToldItem[]) => void;
}

/** An item whose key is free: where it stands, and the operation whose expired record has to make room for it. */
interface Fresh {
  index: number;
  intent: Intent;
  replaces: string | null;
}

/** The items of one batch, from their claims to what they came to. */
class Items {
  private readonly intents: Intent[];
  private readonly outcomes: (ItemOutcome | undefined)[];
  /** Of the items whose answer was there before. */
  private readonly stored = new Map<number, Completed>();
  /** The first item with a key that is free has it. */
  private readonly fresh = new Map<string, Fresh>();

  constructor(
    private readonly within: Surroundings,
    items: readonly Item[],
  ) {
    this.intents = items.map((item) => intentOf(item, within));
    this.outcomes = items.map(() => undefined);
  }

  /** @throws IdempotencyRefusal in progress; what an item's work threw that is not final; the database's error */
  async run(): Promise<ItemOutcome[]> {
    const { engine, how, batch } = this.within;
    await this.claim();
    const isHopeless = how.atomic && this.outcomes.some((outcome) => outcome && hasFailed(outcome));
    if (!isHopeless && this.fresh.size > 0) {
      await how.prepare?.([...this.fresh.values()].map(({ index }) => index));
      // What prepare has queued belongs to no item.
      if (!engine.queue.isEmpty) await engine.runAll([]);
      if (how.atomic)
        await inPart(
          engine,
          () => this.execute(),
          (isDone) => isDone,
        );
      else await this.execute();
    }
    const outcomes = this.intents.map((intent, index) => this.outcomes[index] ?? this.outcomeOfTwin(intent));
    engine.enqueue(toCall(appendLines(batch.accountId, this.story(outcomes))));
    this.within.tell(outcomes.map((outcome, index) => this.toldOf(outcome, index)));
    return outcomes;
  }

  /** Claims all keys in one packet, and finds out what each item is by its key. */
  private async claim(): Promise<void> {
    const { batch, options, engine } = this.within;
    const keys = [...new Set(this.intents.map((intent) => intent.key))].filter((key) => key !== batch.key).toSorted();
    const { calls, evaluate } = claimSeveral(batch.accountId, keys, lateRequestsOf(options));
    const foundOf = evaluate(await engine.runAll(calls));
    for (const [index, intent] of this.intents.entries()) {
      if (intent.key === batch.key) {
        this.outcomes[index] = refused(intent, new IdempotencyRefusal('idempotency-key-reused'));
        continue;
      }
      const found = foundOf(intent);
      if (found.kind === 'won') this.take({ index, intent, replaces: found.replaces });
      else this.outcomes[index] = outcomeOf(intent, found);
      if (found.kind === 'completed') this.stored.set(index, found.record);
    }
  }

  private take(item: Fresh): void {
    const { key, fingerprint: own } = item.intent;
    const first = this.fresh.get(key);
    if (!first) this.fresh.set(key, item);
    else if (first.intent.fingerprint !== own) {
      this.outcomes[item.index] = refused(item.intent, new IdempotencyRefusal('idempotency-key-reused'));
    }
  }

  /** False when an item of an atomic batch failed; those behind it are not begun. */
  private async execute(): Promise<boolean> {
    const { atomic } = this.within.how;
    for (const item of this.fresh.values()) {
      const outcome: ItemOutcome = { kind: 'answered', response: await this.executeOne(item) };
      this.outcomes[item.index] = outcome;
      if (!atomic || !hasFailed(outcome)) continue;
      for (const { index } of this.fresh.values()) if (index !== item.index) this.outcomes[index] = { kind: 'rolled-back' };
      return false;
    }
    return true;
  }

  /** Executes an item and queues its record with its work, or in the place of it. */
  private async executeOne({ index, intent, replaces }: Fresh): Promise<StoredResponse> {
    const { batch, options, engine, as, how } = this.within;
    const { accountId, key, operationId, operation, traceId, traceparent } = intent;
    const record = (response: StoredResponse, resource?: string): void => {
      if (replaces) engine.enqueue(toCall(makeRoom(intent, replaces)));
      engine.enqueue(toCall(insertCompleted(intent, response, resource)));
    };
    const nextProviderKey = (step: string): string => providerKeyOf({ accountId, key, step, stepNo: 1 });
    try {
      const work = async (): Promise<StoredResponse> => {
        const answer = await how.work(as({ operationId, idempotencyKey: key, traceparent, owner: operation, nextProviderKey }), index);
        const response = toResponse(answer, operationId);
        record(response, answer.resource);
        return response;
      };
      return await inPart(engine, work, () => true);
    } catch (thrown) {
      // Of an atomic batch nothing stays that has the name of the item's operation.
      const context = { operationId: how.atomic ? batch.operationId : operationId, traceId };
      const response = await renderer(options.render)(engine.violations.meaningOf(thrown), context);
      if (response === 'not-final') throw thrown;
      record(response);
      return response;
    }
  }

  /** Of an item that has no outcome of its own: it is the same as an earlier one, or was never begun. */
  private outcomeOfTwin({ key }: Intent): ItemOutcome {
    const first = this.fresh.get(key);
    return (first && this.outcomes[first.index]) ?? { kind: 'rolled-back' };
  }

  private toldOf(outcome: ItemOutcome, index: number): ToldItem {
    const intent = this.intents[index] as Intent;
    const stored = this.stored.get(index);
    if (stored) return { intent, outcome: 'replayed', operationId: stored.operationId, bornAt: stored.bornAt };
    const first = this.fresh.get(intent.key);
    if (outcome.kind === 'refused') return { intent, outcome: OUTCOME_OF[outcome.error.code], operationId: undefined, bornAt: undefined };
    if (!first || this.isUndone()) return { intent, outcome: 'rolled-back', operationId: undefined, bornAt: undefined };
    const { operationId } = first.intent;
    if (first.index === index) return { intent, outcome: 'executed', operationId, bornAt: undefined };
    return { intent, outcome: 'replayed', operationId, bornAt: performance.now() };
  }

  /** Whether nothing stays of an atomic batch. */
  private isUndone(): boolean {
    return this.within.how.atomic && this.outcomes.some((outcome) => outcome && hasFailed(outcome));
  }

  private story(outcomes: ItemOutcome[]): NewLine[] {
    const { batch } = this.within;
    const own = outcomes.map((outcome, index) => ({
      operationId: batch.operationId,
      event: 'item' as const,
      detail: `${index}: ${wordsOn(outcome)}`,
    }));
    const theirs = [...this.fresh.values()].map(({ index, intent }) => ({
      operationId: intent.operationId,
      event: 'batched' as const,
      detail: `item ${index} of ${publicOperationId(batch.operationId)}`,
    }));
    return this.isUndone() ? own : [...own, ...theirs];
  }
}

function intentOf({ key, method, path, body, windowMs }: Item, { batch, options }: Surroundings): Intent {
  return {
    accountId: batch.accountId,
    key,
    fingerprint: fingerprint({ method, url: path, ifMatch: undefined, body }),
    operation: `${method} ${path}`,
    operationId: newOperationId(),
    windowMs: windowMs ?? options.windowMs,
    traceId: batch.traceId,
    traceparent: batch.traceparent,
  };
}
