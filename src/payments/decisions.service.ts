import { Injectable } from '@nestjs/common';
import type { Caller } from '../accounts/authenticator.js';
import { noSuch } from '../http/problem.js';
import { Operations, operationUuid, type OperationStory, type Transaction } from '../idempotency/index.js';
import { newId } from '../kernel/ids.js';
import { running } from '../operations/operations.api.js';
import type { Decide } from './decision.dto.js';
import { insertDecision, isFlagged, notUnderReview } from './decision.store.js';

/** Decisions of people about what the provider can't tell. */
@Injectable()
export class DecisionsService {
  constructor(private readonly operations: Operations) {}

  /**
   * Writes down what was decided about a flagged operation, to be carried out by DecideStep.
   * @throws Problem `not-found`, `not-under-review`, `operation-running`
   */
  async open(tx: Transaction, { accountId, keyId }: Caller, id: string, body: Decide): Promise<{ id: string; story: OperationStory }> {
    const uuid = operationUuid(id);
    const story = uuid && (await this.operations.find(accountId, uuid, tx));
    if (!story) throw noSuch('operation');
    if (story.status === 'running') throw running(id);
    const { subjectId } = story;
    if (subjectId === null || story.status === 'completed' || !(await isFlagged(tx, accountId, subjectId))) throw notUnderReview();
    const decision = { accountId, id: newId(), operationId: story.id, subjectId, actor: `key_${keyId}` };
    insertDecision(tx, { ...decision, outcome: body.outcome, providerReference: body.providerReference ?? null, note: body.note });
    return { id: decision.id, story };
  }
}
