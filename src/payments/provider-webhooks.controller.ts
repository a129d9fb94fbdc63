import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeaders, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { FastifyRequest } from 'fastify';
import { Webhook } from 'standardwebhooks';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../accounts/access.guard.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { BACKGROUND } from '../database/data-source.js';
import { rawBody } from '../http/body.js';
import { Operations } from '../idempotency/index.js';
import { Api } from '../openapi/api.decorator.js';
import { Problem } from '../http/problem.js';
import { EVENT_BODY, RECEIVE_EVENT, WEBHOOK_HEADERS } from './provider-webhooks.api.js';

const event = z.object({ type: z.string().max(255), data: z.object({ reference: z.string().max(255).optional() }).optional() });

/** The inbox is unique by event id, so an event that is sent again is no news. */
const RECEIVE = `INSERT INTO provider_events (id, type, reference) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`;

const FIND_OPERATION = `
  SELECT account_id, operation_id FROM payments WHERE reference = $1
  UNION ALL
  SELECT account_id, operation_id FROM refunds WHERE reference = $1`;

/**
 * Events of the provider, signed as Standard Webhooks describe. An event is a hint and no truth: it wakes the operation it
 * is about, which then asks the provider. So repeated, late, early and foreign events all change nothing by themselves.
 */
@Controller('v1/provider/webhooks')
@Public()
@ApiTags('Provider')
export class ProviderWebhooksController {
  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    private readonly operations: Operations,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(204)
  @ApiHeaders(WEBHOOK_HEADERS)
  @ApiBody(EVENT_BODY)
  @Api(RECEIVE_EVENT)
  async receive(@Req() request: FastifyRequest): Promise<void> {
    const id = this.verify(request);
    const { success, data } = event.safeParse(request.body);
    if (!success) throw new Problem('invalid-request', 'The event has no type, or its data have another form.');
    const reference = data.data?.reference ?? null;
    const fresh = await this.dataSource.query<unknown[]>(RECEIVE, [id, data.type, reference]);
    if (fresh.length === 0 || reference === null) return;
    const [found] = await this.dataSource.query<{ account_id: string; operation_id: string }[]>(FIND_OPERATION, [reference]);
    if (found) await this.operations.wake(found.account_id, found.operation_id);
  }

  /** The event's id. The library compares in constant time and refuses times more than five minutes away. */
  private verify(request: FastifyRequest): string {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
    const secret = this.config.providerWebhookSecret;
    try {
      if (!secret || typeof id !== 'string' || id.length > 255) throw new Error('no secret or no id');
      new Webhook(secret).verify(rawBody(request), {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': String(signature),
      });
      return id;
    } catch (error) {
      throw new Problem('invalid-signature', 'The webhook is not signed with the shared secret, or too long ago.', { cause: error });
    }
  }
}
