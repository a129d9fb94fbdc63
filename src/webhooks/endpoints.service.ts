import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { Statement, Transaction } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { newId, uuidOf } from '../kernel/ids.js';
import type { ListQuery, Page } from '../http/page.js';
import { noSuch, Problem } from '../http/problem.js';
import { findByPublicId, pageBy, readAs } from '../http/reads.js';
import { invalid } from '../http/validation.js';
import { writeAs } from '../http/writes.js';
import { Destinations } from './destinations.js';
import {
  WebhookEndpointView,
  type CreateWebhookEndpoint,
  type ShownEndpoint,
  type UpdateWebhookEndpoint,
  type WebhookSecretView,
} from './endpoint.dto.js';
import { WebhookEndpoint } from './endpoint.entity.js';

/** Endpoints of one account. */
export const MAX_ENDPOINTS = 16;
/** The secret before a rotation signs as well for so long. */
const OVERLAP = '24 hours';

const SHOWN = `id, url, types, description, status, disabled_reason AS "disabledReason", failing_since AS "failingSince",
  previous_valid_until AS "previousValidUntil", created_at AS "createdAt", updated_at AS "updatedAt"`;

/** Those who make one for the same account take turns, so that none is one too many. */
const TAKE_TURN: Statement = {
  name: 'webhook-endpoints-turn',
  text: `SELECT pg_advisory_xact_lock(hashtextextended('holdfast webhook endpoints ' || $1, 0))`,
};

/** It begins with the events of what was under way: whatever is committed from here on is told. */
const INSERT: Statement = {
  name: 'webhook-endpoints-insert',
  text: `INSERT INTO webhook_endpoints (account_id, id, url, types, description, secret, position_transaction, position_event, created_at, updated_at)
         SELECT $1::uuid, $2::uuid, $3, $4::text[], $5, $6, pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1,
                'ffffffff-ffff-ffff-ffff-ffffffffffff', $7::timestamptz, $7::timestamptz
          WHERE (SELECT count(*) FROM webhook_endpoints WHERE account_id = $1::uuid) < ${MAX_ENDPOINTS}
         RETURNING ${SHOWN}`,
};

const LOCK: Statement = {
  name: 'webhook-endpoints-lock',
  text: `SELECT ${SHOWN} FROM webhook_endpoints WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE`,
};

const UPDATE: Statement = {
  name: 'webhook-endpoints-update',
  text: `UPDATE webhook_endpoints SET url = $3, types = $4::text[], description = $5, status = $6,
                disabled_reason = CASE WHEN status = $6 THEN disabled_reason END,
                failing_since = CASE WHEN status = $6 AND url = $3 THEN failing_since END, updated_at = $7
          WHERE account_id = $1 AND id = $2 RETURNING ${SHOWN}`,
};

/** Who enables an endpoint, or moves it, says that it is back: nothing waits for the end of a pause, or dies of what was before. */
const HURRY: Statement = {
  name: 'webhook-deliveries-hurry',
  text: `UPDATE webhook_deliveries SET next_attempt_at = now(), failures = 0, failing_since = NULL
          WHERE account_id = $1 AND endpoint_id = $2 AND status = 'pending'`,
};

const ROTATE: Statement = {
  name: 'webhook-endpoints-rotate',
  text: `UPDATE webhook_endpoints SET previous_secret = secret, previous_valid_until = $4::timestamptz + interval '${OVERLAP}', secret = $3, updated_at = $4
          WHERE account_id = $1 AND id = $2 AND coalesce(previous_valid_until <= $4, true) RETURNING ${SHOWN}`,
};

/** One that is in an attempt's hands stays, and is sent no more: nothing is sent without its endpoint. */
const DELETE = `
  WITH gone AS (DELETE FROM webhook_endpoints WHERE account_id = $1 AND id = $2 RETURNING account_id, id),
       waiting AS (
         DELETE FROM webhook_deliveries d USING gone WHERE d.account_id = $1 AND d.id = ANY (ARRAY (
           SELECT p.id FROM webhook_deliveries p WHERE p.account_id = $1 AND p.endpoint_id = $2 AND p.status = 'pending' FOR UPDATE SKIP LOCKED)))
  SELECT FROM gone`;

/** The account has as many endpoints as it may have. */
export function tooManyEndpoints(): Problem {
  return new Problem('webhook-endpoint-limit', `An account has ${MAX_ENDPOINTS} webhook endpoints at most.`);
}

/** The secret before is still in use. */
export function rotatedRecently(until: Date): Problem {
  return new Problem('secret-rotated-recently', `The secret before this one is valid until ${until.toISOString()}.`);
}

/** Webhook endpoints: making and changing them inside a transaction, reading and deleting them. */
@Injectable()
export class EndpointsService {
  private readonly destinations: Destinations;

  constructor(
    @InjectRepository(WebhookEndpoint) private readonly endpoints: Repository<WebhookEndpoint>,
    @Inject(CONFIG) { webhookAllow }: Config,
  ) {
    this.destinations = new Destinations(webhookAllow);
  }

  /** @throws Problem `invalid-request` for a URL that may not be reached, `webhook-endpoint-limit` */
  async create(
    tx: Transaction,
    accountId: string,
    { url, types, description = null }: CreateWebhookEndpoint,
  ): Promise<WebhookEndpointView> {
    this.checkUrl(url);
    await tx.run(TAKE_TURN, [accountId]);
    const now = await tx.now();
    const values = [accountId, newId(), url, [...new Set(types)], description, newSecret(), now];
    const [endpoint] = await tx.run<ShownEndpoint>(INSERT, values);
    if (!endpoint) throw tooManyEndpoints();
    return WebhookEndpointView.of(endpoint, now);
  }

  /** @throws Problem `not-found`, `invalid-request` for a URL that may not be reached */
  async change(tx: Transaction, accountId: string, id: string, update: UpdateWebhookEndpoint): Promise<WebhookEndpointView> {
    if (update.url !== undefined) this.checkUrl(update.url);
    const old = await this.lock(tx, accountId, id);
    const now = await tx.now();
    const { url = old.url, types = old.types, description = old.description, status = old.status } = update;
    const values = [accountId, old.id, url, [...new Set(types)], description, status, now];
    const [endpoint] = await tx.run<ShownEndpoint>(UPDATE, values);
    if (!endpoint) throw noSuch('webhook endpoint');
    if (status === 'enabled' && (old.status === 'disabled' || url !== old.url)) tx.write(HURRY, [accountId, old.id]);
    return WebhookEndpointView.of(endpoint, now);
  }

  /** Makes a new secret; the old one signs as well for 24 hours. @throws Problem `not-found`, `secret-rotated-recently` */
  async rotate(tx: Transaction, accountId: string, id: string): Promise<WebhookEndpointView> {
    const old = await this.lock(tx, accountId, id);
    const now = await tx.now();
    const [endpoint] = await tx.run<ShownEndpoint>(ROTATE, [accountId, old.id, newSecret(), now]);
    if (!endpoint) throw rotatedRecently(old.previousValidUntil ?? now);
    return WebhookEndpointView.of(endpoint, now);
  }

  /** The endpoint, which nobody else changes until the transaction ends. @throws Problem `not-found` */
  async lock(tx: Transaction, accountId: string, id: string): Promise<ShownEndpoint> {
    const uuid = uuidOf('we', id);
    const [endpoint] = uuid ? await tx.run<ShownEndpoint>(LOCK, [accountId, uuid]) : [];
    if (!endpoint) throw noSuch('webhook endpoint');
    return endpoint;
  }

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<WebhookEndpoint> {
    const endpoint = await findByPublicId(this.endpoints, 'we', { accountId, id });
    if (!endpoint) throw noSuch('webhook endpoint');
    return endpoint;
  }

  list(accountId: string, query: ListQuery): Promise<Page<WebhookEndpointView>> {
    return pageBy(this.endpoints, 'we', query, { accountId }, (endpoint) => WebhookEndpointView.of(endpoint));
  }

  /** @throws Problem `not-found` */
  async secretOf(accountId: string, id: string): Promise<WebhookSecretView> {
    const uuid = uuidOf('we', id);
    const select = { secret: true, previousSecret: true, previousValidUntil: true } as const;
    const found = uuid && (await readAs(this.endpoints, accountId, (own) => own.findOne({ select, where: { accountId, id: uuid } })));
    if (!found) throw noSuch('webhook endpoint');
    const { secret, previousSecret, previousValidUntil: until } = found;
    return until && until > new Date()
      ? { secret, previousSecret, previousSecretValidUntil: until }
      : { secret, previousSecret: null, previousSecretValidUntil: null };
  }

  /** Removes it with all that is pending. @throws Problem `not-found` */
  async remove(accountId: string, id: string): Promise<void> {
    const uuid = uuidOf('we', id);
    if (!uuid) throw noSuch('webhook endpoint');
    const { connection } = this.endpoints.manager;
    const gone = await writeAs(connection, accountId, (own) => own.query<unknown[]>(DELETE, [accountId, uuid]));
    if (gone.length === 0) throw noSuch('webhook endpoint');
  }

  private checkUrl(url: string): void {
    const detail = this.destinations.flawOf(url);
    if (detail !== null) throw invalid([{ pointer: '/url', detail }]);
  }
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
