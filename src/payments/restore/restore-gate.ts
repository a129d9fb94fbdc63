import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Statement, Transaction } from '../../idempotency/index.js';
import { Problem } from '../../http/problem.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import type { NotReached } from '../provider/provider.js';
import type { RestoredCharge } from './restore.entity.js';

/** What a step has for an outcome: nothing was asked of the provider. */
export const CLOSED: NotReached = {
  kind: 'not-reached',
  reason: 'payments wait until a restored database is compared with the provider',
  answered: true,
  closed: true,
  againMs: 30_000,
};

/**
 * SQL: whether the gate was opened for the server that runs the statement; where tables lie on several, that is the one with the rows that the
 * statement is about. `anyTimeline`: a parameter, whether another timeline changes nothing.
 */
export const gateIsOpen = (anyTimeline: string): string =>
  `EXISTS (SELECT FROM payments_gate g, current_server() s
            WHERE g.is_open AND g.cluster = coalesce(s.cluster, '') AND (${anyTimeline}::boolean OR g.timeline IS NOT DISTINCT FROM s.timeline))`;

const IS_OPEN = `SELECT ${gateIsOpen('$1')} AS is_open`;

/** About an account; no charge has the reference ''. */
const ENTER: Statement = {
  name: 'payments-gate-enter',
  text: `SELECT ${gateIsOpen('$3')} AS is_open, r.account_id, r.charge_id, r.amount, r.currency, r.order_id, r.payment_id, r.charged_at,
                r.outcome, r.refund_id, r.decided_at
           FROM (SELECT) AS one LEFT JOIN restored_charges r ON r.account_id = $1 AND r.reference = $2`,
};

interface EntryRow extends Record<string, unknown> {
  is_open: boolean;
  account_id: string | null;
  charge_id: string;
  amount: string;
  currency: string;
  order_id: string;
  payment_id: string;
  charged_at: Date;
  outcome: RestoredCharge['outcome'];
  refund_id: string | null;
  decided_at: Date;
}

/** What a request needs to know of a charge whose payment was lost. */
export type DecidedCharge = Omit<RestoredCharge, 'reference' | 'refundReference' | 'decidedBy' | 'note'>;

/**
 * Where money moves, after a database may have lost what it had confirmed: by a failover to a standby that lacked it, or a restore.
 * The gate is a row of the database with the server that it was opened for, so that every process, of whatever version and memory, meets
 * it in its own transaction. On another server, or closed by an operator, nothing is asked of the provider until
 * `npm run reconcile` has compared the two.
 */
@Injectable()
export class RestoreGate {
  /** Whether another timeline changes nothing: a standby that lacked a commit was never promoted. */
  readonly anyTimeline: boolean;

  constructor(@Inject(CONFIG) { failover }: Pick<Config, 'failover'>) {
    this.anyTimeline = failover === 'lossless';
  }

  /** Whether payments pass at this moment. @throws the database's error */
  async isOpen(dataSource: DataSource): Promise<boolean> {
    const [row] = await dataSource.query<{ is_open: boolean }[]>(IS_OPEN, [this.anyTimeline]);
    return row?.is_open === true;
  }

  /** @throws Problem `service-unavailable`, which stores nothing */
  async pass(tx: Transaction, accountId: string): Promise<void> {
    const [row] = await tx.run<EntryRow>(ENTER, [accountId, '', this.anyTimeline]);
    if (!row?.is_open) throw gateClosed();
  }

  /**
   * Passes, and tells what was decided about a charge of this reference, whose payment was lost; null where there is none.
   * @throws Problem `service-unavailable`, which stores nothing
   */
  async enter(tx: Transaction, accountId: string, reference: string): Promise<DecidedCharge | null> {
    const [row] = await tx.read<EntryRow>(ENTER, [accountId, reference, this.anyTimeline]);
    if (!row?.is_open) throw gateClosed();
    if (row.account_id === null) return null;
    return {
      accountId: row.account_id,
      chargeId: row.charge_id,
      amount: Number(row.amount),
      currency: row.currency,
      orderId: row.order_id,
      paymentId: row.payment_id,
      chargedAt: row.charged_at,
      outcome: row.outcome,
      refundId: row.refund_id,
      decidedAt: row.decided_at,
    };
  }
}

/** What a client is told meanwhile. */
export function gateClosed(): Problem {
  return new Problem('service-unavailable', 'Payments wait: the database was restored, and is being compared with the payment provider.');
}
