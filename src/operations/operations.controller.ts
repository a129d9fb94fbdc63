import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Caller, NeedsScope } from '../accounts/access.guard.js';
import type { Caller as CallerType } from '../accounts/authenticator.js';
import { Operations, operationUuid, parseKey, publicOperationId, type OperationStory } from '../idempotency/index.js';
import { pageOf, type Page } from '../http/page.js';
import { publicId } from '../kernel/ids.js';
import { writeAct } from '../kernel/trail.js';
import { Api } from '../openapi/api.decorator.js';
import { noSuch } from '../http/problem.js';
import { ListOperations, OperationView, SealKey, SealedKeyView } from './operation.dto.js';
import { GET_OPERATION, LIST_OPERATIONS, RESUME_OPERATION, SEAL_KEY, running } from './operations.api.js';

@Controller('v1/operations')
export class OperationsController {
  constructor(private readonly operations: Operations) {}

  @Get()
  @NeedsScope('operations:read')
  @Api(LIST_OPERATIONS)
  async list(@Caller() { accountId }: CallerType, @Query() query: ListOperations): Promise<Page<OperationView>> {
    const stories = await this.operations.list(accountId, {
      key: query.idempotencyKey === undefined ? null : parseKey(query.idempotencyKey),
      before: query.position(operationUuid),
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
  @Api(GET_OPERATION)
  async get(@Caller() { accountId }: CallerType, @Param('id') id: string): Promise<OperationView> {
    return OperationView.of(await this.find(accountId, id));
  }

  @Post('seal')
  @HttpCode(200)
  @NeedsScope('operations:write')
  @Api(SEAL_KEY)
  async seal(
    @Caller() { accountId, keyId: key }: CallerType,
    @Body() body: SealKey,
    @Req() { id: requestId, ip: address }: FastifyRequest,
  ): Promise<SealedKeyView> {
    const idempotencyKey = parseKey(body.idempotencyKey);
    const keyId = `key_${key}`;
    const sealing = await this.operations.seal(accountId, idempotencyKey, keyId);
    switch (sealing.state) {
      case 'running':
        throw running(sealing.operationId && publicOperationId(sealing.operationId));
      case 'completed':
        return {
          idempotencyKey,
          state: 'completed',
          operation: OperationView.of(await this.find(accountId, publicOperationId(sealing.operationId))),
        };
      case 'sealed':
        writeAct('key.sealed', { accountId: publicId('acct', accountId), keyId, address, requestId });
        return { idempotencyKey, state: 'sealed' };
    }
  }

  @Post(':id/resume')
  @HttpCode(200)
  @NeedsScope('operations:write')
  @Api(RESUME_OPERATION)
  async resume(
    @Caller() { accountId, keyId: key }: CallerType,
    @Param('id') id: string,
    @Req() { id: requestId, ip: address }: FastifyRequest,
  ): Promise<OperationView> {
    const story = await this.find(accountId, id);
    if (story.status === 'completed') return OperationView.of(story);
    const keyId = `key_${key}`;
    const resumed = await this.operations.resume(accountId, story.id, keyId);
    if (resumed) writeAct('operation.resumed', { accountId: publicId('acct', accountId), keyId, address, operationId: id, requestId });
    const present = await this.find(accountId, id);
    if (!resumed && present.status === 'running') throw running(id);
    return OperationView.of(present);
  }

  private async find(accountId: string, id: string): Promise<OperationStory> {
    const uuid = operationUuid(id);
    const story = uuid && (await this.operations.find(accountId, uuid));
    if (!story) throw noSuch('operation');
    return story;
  }
}
