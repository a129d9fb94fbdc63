import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { publicOperationId } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { publicId } from '../kernel/ids.js';
import { keyHashWith, type KeyHash } from '../kernel/key-hash.js';
import type { LogFields } from '../kernel/log-fields.js';
import { Metrics, type LabelsOf } from '../observability/metrics.registry.js';
import type { Claimed } from './due-deliveries.js';
import type { DisabledReason } from './endpoint.entity.js';
import { BEYOND } from './fan-out.js';
import type { Outcome } from './sender.js';

type AttemptOutcome = LabelsOf<'webhooks_delivery_attempts_total'>['outcome'];

/** The oldest event of an endpoint is that of a delivery which is pending, or the first one that is none yet. */
const STANDING = `
  SELECT e.status, e.failing_since IS NOT NULL AS failing, count(*)::int AS endpoints, coalesce(sum(pending), 0)::int AS pending,
         coalesce(extract(epoch FROM now() - min(least(oldest, next))), 0)::float8 AS "oldestSeconds"
    FROM webhook_endpoints e
    LEFT JOIN LATERAL (
         SELECT count(*) AS pending, min(coalesce(v.created_at, d.created_at)) AS oldest
           FROM webhook_deliveries d LEFT JOIN events v ON v.account_id = d.account_id AND v.id = d.event_id
          WHERE d.account_id = e.account_id AND d.endpoint_id = e.id AND d.status = 'pending') waiting ON e.status = 'enabled'
    LEFT JOIN LATERAL (
         SELECT v.created_at AS next FROM events v WHERE ${BEYOND} ORDER BY v.transaction_id, v.id LIMIT 1) beyond ON e.status = 'enabled'
   GROUP BY 1, 2`;

interface StandingRow {
  status: 'enabled' | 'disabled';
  failing: boolean;
  endpoints: number;
  pending: number;
  oldestSeconds: number;
}

/** What is seen of deliveries from outside: figures, and a line of the log for each attempt. */
@Injectable()
export class DeliveryWatch implements OnModuleInit {
  private readonly log = new Logger('Webhooks');
  private readonly keyHash: KeyHash;

  constructor(
    private readonly metrics: Metrics,
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    @Inject(CONFIG) { keyHashSalt }: Config,
  ) {
    this.keyHash = keyHashWith(keyHashSalt);
  }

  onModuleInit(): void {
    this.metrics.readTables(['webhooks_endpoints', 'webhooks_pending_deliveries', 'webhooks_oldest_pending_seconds'], () => this.show());
  }

  /** An attempt has ended; says what the receiver made of it. */
  attempted(claimed: Claimed, { status, error, ms }: Outcome): AttemptOutcome {
    const outcome = error ?? outcomeOf(status ?? 0);
    this.metrics.count('webhooks_delivery_attempts_total', { outcome });
    const { accountId, idempotencyKey: key, operationId, attempt, id, endpointId, eventId } = claimed;
    const account = publicId('acct', accountId);
    const line: LogFields = {
      accountId: account,
      keyHash: key === null ? undefined : this.keyHash(account, key),
      operationId: operationId === null ? undefined : publicOperationId(operationId),
      outcome,
      attempt,
      ms,
    };
    const more = { deliveryId: publicId('dlv', id), endpointId: publicId('we', endpointId), eventId: publicId('evt', eventId), status };
    this.log.log({ ...line, ...more }, 'delivery');
    return outcome;
  }

  /** A delivery is over; `lagSeconds`: of one that was delivered, since its event. */
  ended(outcome: 'delivered' | 'dead', lagSeconds?: number): void {
    this.metrics.count('webhooks_deliveries_total', { outcome });
    if (lagSeconds !== undefined) this.metrics.observe('webhooks_delivery_lag_seconds', {}, lagSeconds);
  }

  /** An endpoint was disabled. */
  disabled(reason: DisabledReason): void {
    this.metrics.count('webhooks_endpoints_disabled_total', { reason });
  }

  private async show(): Promise<void> {
    const rows = await this.dataSource.query<StandingRow[]>(STANDING);
    const sum = (of: StandingRow[]): number => of.reduce((total, { endpoints }) => total + endpoints, 0);
    this.metrics.show('webhooks_endpoints', { state: 'disabled' }, sum(rows.filter(({ status }) => status === 'disabled')));
    for (const endpoint of ['working', 'failing'] as const) {
      const own = rows.filter(({ status, failing }) => status === 'enabled' && failing === (endpoint === 'failing'));
      this.metrics.show('webhooks_endpoints', { state: endpoint }, sum(own));
      this.metrics.show('webhooks_pending_deliveries', { endpoint }, own[0]?.pending ?? 0);
      this.metrics.show('webhooks_oldest_pending_seconds', { endpoint }, own[0]?.oldestSeconds ?? 0);
    }
  }
}

function outcomeOf(status: number): AttemptOutcome {
  if (status === 410) return 'gone';
  return status >= 200 && status < 300 ? 'delivered' : 'refused';
}
