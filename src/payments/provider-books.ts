import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { PeriodicTask } from '../idempotency/index.js';
import { appendOwnEvent } from '../events/outbox.js';
import { publicId } from '../kernel/ids.js';
import { nextCheck } from './books-schedule.js';
import { LateCharges } from './late-charges.js';
import { RefundView } from './payment.dto.js';
import { Refund } from './payment.entity.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER } from './provider/provider.js';
import {
  DUE_DECIDED,
  DUE_PAYMENTS,
  DUE_REFUNDS,
  FAIL_REFUND,
  FLAG_PAYMENT,
  GIVE_BACK,
  LOCK_PAYMENT,
  SET_CHECK,
  LOOK_AGAIN,
  type Due,
  type DuePayment,
  type DueRefund,
} from './provider-books.store.js';

const INTERVAL_MS = 60_000;

/**
 * Looks again, at growing distances, at what had succeeded at a provider that may change its mind: a refund that fails after
 * all gives its reservation back; a dispute, or money that went back without us, flags the payment and unmakes nothing.
 */
@Injectable()
export class ProviderBooks implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('ProviderBooks');
  private readonly task: PeriodicTask;

  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    @Inject(PROVIDER) private readonly provider: GuardedProvider,
    private readonly late: LateCharges,
  ) {
    const run = (signal: AbortSignal): Promise<void> => this.check(signal);
    this.task = new PeriodicTask({ name: 'ProviderBooks', intervalMs: INTERVAL_MS, writesTo: dataSource, run });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** There is news of a charge or refund, by its reference: if it had succeeded, it is looked at again at the next run. */
  async lookAgain(accountId: string, reference: string): Promise<void> {
    for (const statement of LOOK_AGAIN) await this.dataSource.query(statement, [accountId, reference]);
  }

  /** Looks at what is due. One that can't be asked for comes again after a while. */
  async check(signal?: AbortSignal): Promise<void> {
    await this.checkEach(DUE_PAYMENTS, (payment) => this.checkPayment(payment), signal);
    await this.checkEach(DUE_DECIDED, (payment) => this.late.check(payment), signal);
    await this.checkEach(DUE_REFUNDS, (refund) => this.checkRefund(refund), signal);
  }

  private async checkEach<Row>(due: Due<Row>, check: (row: Row) => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return;
    for await (const row of due(this.dataSource)) {
      await check(row).catch((error: unknown) => this.report(error));
      if (signal?.aborted) return;
    }
  }

  private report(error: unknown): void {
    this.log.warn({ err: error }, 'the provider could not be asked once more; it will be');
  }

  private async checkPayment(payment: DuePayment): Promise<void> {
    const { account_id, id, reference, provider_reference, currency, source, reserved } = payment;
    const request = { account: publicId('acct', account_id), reference, amount: Number(payment.amount), currency, source };
    const { trouble, returned } = await this.provider.standing(request, provider_reference);
    const [now] = await this.dataSource.query<{ reserved: string }[]>(
      'SELECT amount_reserved AS reserved FROM payments WHERE account_id = $1 AND id = $2',
      [account_id, id],
    );
    // Refunds may have come or gone while the provider was asked.
    const ours = Math.max(Number(reserved), Number(now?.reserved ?? 0));
    const reasons = [trouble, returned > ours ? `the provider gave ${returned} back, and ${ours} are known here` : null];
    const found = reasons.filter((reason) => reason !== null);
    for (const reason of found) await this.dataSource.query(FLAG_PAYMENT, [account_id, id, reason]);
    // A person has it then; only news make us look once more.
    await this.dataSource.query(SET_CHECK.payments, [account_id, id, payment.check_at, nextCheck(payment, found.length > 0)]);
  }

  private async checkRefund(refund: DueRefund): Promise<void> {
    const { account_id, id, payment_id, reference, provider_reference, charge_id: chargeId, currency } = refund;
    const request = { account: publicId('acct', account_id), reference, chargeId, amount: Number(refund.amount), currency };
    const found = await this.provider.findRefund(request, provider_reference);
    const mark = publicId('re', id);
    if (found?.kind === 'declined') {
      // The payment is locked before its refund, as everywhere.
      await this.dataSource.transaction(async (manager) => {
        await manager.query(LOCK_PAYMENT, [account_id, payment_id]);
        const [failed] = await manager.query<[unknown[], number]>(FAIL_REFUND, [account_id, id, found.code]);
        if (failed.length === 0) return;
        await manager.query(GIVE_BACK, [account_id, payment_id, refund.amount]);
        await manager.query(FLAG_PAYMENT, [account_id, payment_id, `${mark}: it had succeeded and failed later: ${found.code}`]);
        const failedRefund = await manager.findOneByOrFail(Refund, { accountId: account_id, id });
        await appendOwnEvent(manager, account_id, 'refund.failed', RefundView.of(failedRefund));
      });
      return;
    }
    const review = found?.kind === 'unknown' ? found.review : undefined;
    if (review) await this.dataSource.query(FLAG_PAYMENT, [account_id, payment_id, `${mark}: ${review}`]);
    await this.dataSource.query(SET_CHECK.refunds, [account_id, id, refund.check_at, nextCheck(refund, review !== undefined)]);
  }
}
