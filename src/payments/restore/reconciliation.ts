import { IsNull, type DataSource, type EntityManager } from 'typeorm';
import { serversOf, type ServerIdentity } from '../../database/servers.js';
import { appendOwnEvent } from '../../events/outbox.js';
import { CommandFailure } from '../../kernel/cli.js';
import { publicId } from '../../kernel/ids.js';
import { writeAct } from '../../kernel/trail.js';
import { OrderView } from '../../orders/order.dto.js';
import { Order, OrderItem } from '../../orders/order.entity.js';
import { END_STATES } from '../end-states.js';
import { firstCheck } from '../books-schedule.js';
import { PaymentView, RefundView } from '../payment.dto.js';
import { Payment, Refund } from '../payment.entity.js';
import { judge } from '../provider/comparison.js';
import type { LedgerEntry, ProviderLedger } from '../provider/ledger.js';
import type { Outcome, Provider } from '../provider/provider.js';
import { findLostCharges, type LostCharge, type Owner } from './lost-charges.js';
import { PaymentsGate, RestoredCharge, type RestoredOutcome } from './restore.entity.js';
import { UNKNOWN_SOURCE, keyOf, paymentOf, refundOf, restoredOf, type By } from './restored-rows.js';

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

/** How the gate stands. */
export interface GateState {
  /** Whether it lets payments pass that heed the server's timeline. */
  isOpen: boolean;
  /** Of the operator, whatever the servers are; the latest first. */
  rows: PaymentsGate[];
  servers: ServerIdentity[];
}

/** On every server that keeps rows: this many of its rows are open for the servers of now. */
const OPEN_FOR = `
  SELECT count(*)::int AS count FROM payments_gate g JOIN unnest($1::text[], $2::integer[]) AS s (cluster, timeline) USING (cluster)
   WHERE g.is_open AND g.timeline IS NOT DISTINCT FROM s.timeline`;
/** Those that are under way may have passed the gate before it was closed. */
const RUNNING = `SELECT count(*)::int AS count FROM idempotency_records WHERE status = 'running' AND lease_until > clock_timestamp()`;

/** Compares a restored database with the provider's books, and decides about the charges whose payment was lost. It runs as the tables' owner. */
export class Reconciliation {
  constructor(
    private readonly dataSource: DataSource,
    private readonly provider: Provider,
    private readonly ledger: ProviderLedger,
    private readonly timeoutMs: number,
  ) {}

  /** What was charged and is not here. @throws Error when the ledger can't be read */
  lostCharges(): Promise<LostCharge[]> {
    return findLostCharges(this.dataSource, this.ledger);
  }

  /** How the gate stands. */
  async gate(): Promise<GateState> {
    const servers = await serversOf(this.dataSource);
    const values = [servers.map(({ cluster }) => cluster), servers.map(({ timeline }) => timeline)];
    const [open] = await this.dataSource.query<{ count: number }[]>(OPEN_FOR, values);
    const rows = await this.dataSource.manager.find(PaymentsGate, { order: { changedAt: 'DESC', cluster: 'ASC' } });
    return { isOpen: open?.count === servers.length, rows, servers };
  }

  /** No payment passes from now on. Returns how many operations are under way still, that may have passed before. */
  async close(by: By): Promise<number> {
    await this.changeGate(false, by);
    const [running] = await this.dataSource.query<{ count: number }[]>(RUNNING);
    return running?.count ?? 0;
  }

  /** Payments pass on the present server. @throws CommandFailure while something is to be decided or given back */
  async open(by: By): Promise<void> {
    const undecided = (await this.lostCharges()).filter(({ owner }) => owner !== null).length;
    if (undecided > 0) throw new CommandFailure(`${undecided} charges have no payment here: adopt or refund them first.`);
    const owed = await this.dataSource.manager.countBy(RestoredCharge, OWED);
    if (owed > 0)
      throw new CommandFailure(`${owed} refunds are decided and not known to be made: npm run reconcile -- refund goes on with them.`);
    await this.changeGate(true, by);
  }

  /**
   * Takes the charge for the payment of its order: as if it had never been lost, with one event for each.
   * @throws CommandFailure where the order doesn't wait for just this payment, or the provider doesn't say that the charge succeeded
   */
  async adopt({ charge, owner, obstacle }: LostCharge, by: By): Promise<void> {
    if (!owner) throw new CommandFailure(`${charge.id} has no owner here.`);
    if (obstacle) throw new CommandFailure(`${charge.id} can't be adopted: ${obstacle}.`);
    const { mayChange } = await this.confirm(charge, owner);
    await this.dataSource.transaction(async (manager) => {
      const order = await lockOrder(manager, owner);
      if (order?.status !== 'pending') throw new CommandFailure(`${charge.id} can't be adopted: its order is not pending any more.`);
      const now = await timeOf(manager);
      const { payment: status, failureCode } = END_STATES['adopted-after-restore'];
      const payment = { ...paymentOf(charge, owner, now), status, failureCode, version: 1 };
      await manager.insert(Payment, { ...payment, checkAt: firstCheck(now, mayChange) });
      await manager.insert(RestoredCharge, restoredOf(charge, owner, 'adopted', by, now));
      const paid = { ...order, status: 'paid' as const, version: order.version + 1, updatedAt: now };
      const { version, updatedAt } = paid;
      await manager.update(Order, { accountId: owner.accountId, id: order.id }, { status: 'paid', version, updatedAt });
      await appendOwnEvent(manager, owner.accountId, 'payment.succeeded', PaymentView.of(payment));
      await appendOwnEvent(manager, owner.accountId, 'order.paid', OrderView.of(paid));
    });
    tell(charge, owner, 'adopted', by);
  }

  /**
   * Gives the charge back. It is decided first, in the database, and then asked of the provider under a key of its own, so that it can be
   * begun again wherever it was interrupted: money goes back once.
   * @throws CommandFailure where the provider can't tell that it was done; then `refundOwed` goes on
   */
  async refund({ charge, owner }: LostCharge, by: By): Promise<void> {
    if (!owner) throw new CommandFailure(`${charge.id} has no owner here.`);
    await this.dataSource.transaction(async (manager) => {
      const order = await lockOrder(manager, owner);
      const now = await timeOf(manager);
      const restored = restoredOf(charge, owner, 'refunded', by, now);
      await manager.insert(RestoredCharge, restored);
      // Where the order is lost, the charge stays without a payment.
      if (!order) return;
      const { payment: status, failureCode } = END_STATES['refunded-after-restore'];
      const payment = { ...paymentOf(charge, owner, now), status, failureCode, version: 1, amountReserved: charge.amount };
      await manager.insert(Payment, { ...payment });
      await manager.insert(Refund, refundOf(restored, owner, now));
      await appendOwnEvent(manager, owner.accountId, 'payment.failed', PaymentView.of(payment));
    });
    tell(charge, owner, 'refunded', by);
    await this.giveBack(await this.dataSource.manager.findOneByOrFail(RestoredCharge, keyOf(charge, owner)));
  }

  /** Goes on with refunds that were decided and are not known to be made. Returns how many. @throws CommandFailure as `refund` */
  async refundOwed(): Promise<number> {
    const owed = await this.dataSource.manager.findBy(RestoredCharge, OWED);
    for (const charge of owed) await this.giveBack(charge);
    return owed.length;
  }

  private async giveBack(restored: RestoredCharge): Promise<void> {
    const { accountId, chargeId, amount, currency, refundReference, paymentId } = restored;
    if (refundReference === null) throw new Error('a refund without its reference');
    const request = { account: publicId('acct', accountId), reference: refundReference, chargeId, amount, currency };
    const outcome = judge(request, await this.provider.refund(request, refundReference, this.timeoutMs));
    if (outcome.kind !== 'succeeded') throw new CommandFailure(`${chargeId} is not known to be refunded: ${reasonOf(outcome)}.`);
    const { providerReference } = outcome;
    await this.dataSource.transaction(async (manager) => {
      const now = await timeOf(manager);
      await manager.update(RestoredCharge, { accountId, reference: restored.reference }, { refundId: providerReference });
      const payment = await manager.findOne(Payment, { where: { accountId, id: paymentId }, lock: { mode: 'for_no_key_update' } });
      const refund = await manager.findOneBy(Refund, { accountId, reference: refundReference, status: 'processing' });
      if (!payment || !refund) return;
      const done = { ...refund, status: 'succeeded' as const, providerReference, version: refund.version + 1, updatedAt: now };
      const { status, version } = done;
      await manager.update(Refund, { accountId, id: refund.id }, { status, providerReference, version, updatedAt: now });
      const given = { amountRefunded: amount, version: payment.version + 1, updatedAt: now };
      await manager.update(Payment, { accountId, id: payment.id }, given);
      await appendOwnEvent(manager, accountId, 'refund.succeeded', RefundView.of(done));
    });
  }

  /** The ledger tells of what was made; this is how it stands. */
  private async confirm(charge: LedgerEntry, { accountId }: Owner): Promise<Succeeded> {
    const { id, reference, amount, currency, source = UNKNOWN_SOURCE } = charge;
    const request = { account: publicId('acct', accountId), reference, amount, currency, source };
    const reading = await this.provider.findCharge(request, id, this.timeoutMs);
    const found = reading && judge(request, reading);
    if (found?.kind === 'succeeded' && found.providerReference === id) return found;
    throw new CommandFailure(`${id} is not adopted: the provider doesn't say that it succeeded.`);
  }

  private async changeGate(isOpen: boolean, { actor, note }: By): Promise<void> {
    const servers = await serversOf(this.dataSource);
    await this.dataSource.transaction(async (manager) => {
      const [changedAt, changedBy] = [await timeOf(manager), actor];
      // Also those of servers that are none of ours any more.
      await manager.deleteAll(PaymentsGate);
      const rows = servers.map(({ cluster, timeline }) => ({ cluster, timeline, isOpen, changedAt, changedBy, note }));
      await manager.insert(PaymentsGate, rows);
    });
    writeAct('gate.changed', { actor, state: isOpen ? 'open' : 'closed' });
  }
}

/** Decided, and not known to be made. */
const OWED = { outcome: 'refunded' as const, refundId: IsNull() };

async function lockOrder(manager: EntityManager, { accountId, orderId: id }: Owner): Promise<Order | null> {
  const order = await manager.findOne(Order, { where: { accountId, id }, lock: { mode: 'for_no_key_update' } });
  if (!order) return null;
  return { ...order, items: await manager.find(OrderItem, { where: { accountId, orderId: id }, order: { lineNo: 'ASC' } }) };
}

async function timeOf(manager: EntityManager): Promise<Date> {
  const [{ now }] = await manager.query<[{ now: Date }]>('SELECT now()');
  return now;
}

function reasonOf(outcome: Exclude<Outcome, Succeeded>): string {
  return outcome.kind === 'declined' ? `the provider declined, ${outcome.code}` : outcome.reason;
}

function tell({ id: chargeId }: LedgerEntry, { accountId }: Owner, outcome: RestoredOutcome, { actor }: By): void {
  writeAct('restore.decided', { actor, accountId: publicId('acct', accountId), chargeId, outcome });
}
