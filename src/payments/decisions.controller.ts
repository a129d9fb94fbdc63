import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { Idempotent, Tx, next, type StepEnd, type Transaction } from '../idempotency/index.js';
import { Api } from '../openapi/api.decorator.js';
import { OperationView } from '../operations/operation.dto.js';
import { DecideStep } from './decide.step.js';
import { Decide } from './decision.dto.js';
import { DECIDE_OPERATION } from './decisions.api.js';
import { DecisionsService } from './decisions.service.js';
import { OPERATIONS_PATH, pending } from './payment-replies.js';

/** Deciding operations; here and not with the operations, since what a decision means is what payments are. */
@Controller(OPERATIONS_PATH)
@ApiTags('Operations')
export class DecisionsController {
  constructor(private readonly decisions: DecisionsService) {}

  @Post(':id/decision')
  @HttpCode(200)
  @NeedsScope('admin')
  @Idempotent()
  @Api(DECIDE_OPERATION)
  async decide(@Tx() tx: Transaction, @Caller() caller: CallerType, @Param('id') id: string, @Body() body: Decide): Promise<StepEnd> {
    const { id: decisionId, story } = await this.decisions.open(tx, caller, id, body);
    return next(DecideStep, decisionId, pending(tx, OperationView.of(story), `${OPERATIONS_PATH}/${id}`));
  }
}
