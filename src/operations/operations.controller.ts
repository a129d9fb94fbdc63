import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { Operations, operationUuid, parseKey, publicOperationId, type OperationStory, type TimelineLine } from '../idempotency/index.js';
import { ListQuery, pageOf, type Page } from '../list.js';
import { Problem } from '../problem.js';

/** Query of the list of operations. */
export class ListOperations extends ListQuery {
  /** Bare or quoted, as in the header. */
  @IsOptional()
  @IsString()
  @MaxLength(600)
  idempotencyKey?: string;
}

/** An operation as clients see it. */
export class OperationView {
  id: string;
  /** Method and route. */
  operation: string;
  status: OperationStory['status'];
  recoveryPoint: string | null;
  attempts: number;
  /** Path of what it made or changed. */
  resource: string | null;
  /** Null while there is none. */
  response: { status: number } | null;
  replays: number;
  createdAt: Date;
  completedAt: Date | null;
  /** From then on the key is expired. */
  expiresAt: Date | null;
  timeline: TimelineLine[];

  static of(story: OperationStory): OperationView {
    return {
      id: publicOperationId(story.id),
      operation: story.operation,
      status: story.status,
      recoveryPoint: story.recoveryPoint,
      attempts: story.attempts,
      resource: story.resource,
      response: story.responseStatus === null ? null : { status: story.responseStatus },
      replays: story.replays,
      createdAt: story.createdAt,
      completedAt: story.completedAt,
      expiresAt: story.expiresAt,
      timeline: story.timeline,
    };
  }
}

@Controller('v1/operations')
export class OperationsController {
  constructor(private readonly operations: Operations) {}

  @Get()
  @NeedsScope('operations:read')
  async list(@Caller() { accountId }: CallerType, @Query() query: ListOperations): Promise<Page<OperationView>> {
    const stories = await this.operations.list(accountId, {
      key: query.idempotencyKey === undefined ? null : parseKey(query.idempotencyKey),
      before: query.after(operationUuid),
      limit: query.limit + 1,
    });
    return pageOf(
      stories,
      query.limit,
      (story) => publicOperationId(story.id),
      (story) => OperationView.of(story),
    );
  }

  @Get(':id')
  @NeedsScope('operations:read')
  async get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<OperationView> {
    return OperationView.of(await this.find(accountId, id));
  }

  /** Finishes an interrupted operation without redoing finished steps; a completed one is answered as it is. */
  @Post(':id/resume')
  @HttpCode(200)
  @NeedsScope('operations:write')
  async resume(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<OperationView> {
    const story = await this.find(accountId, id);
    if (story.status === 'completed') return OperationView.of(story);
    if (!(await this.operations.resume(accountId, story.id)) && (await this.find(accountId, id)).status !== 'completed') {
      throw new Problem('operation-running', 'The operation is running at this moment.', { operationId: id });
    }
    return OperationView.of(await this.find(accountId, id));
  }

  private async find(accountId: string, id: string): Promise<OperationStory> {
    const uuid = operationUuid(id);
    const story = uuid && (await this.operations.find(accountId, uuid));
    if (!story) throw new Problem('not-found', 'This account has no such operation.');
    return story;
  }
}
