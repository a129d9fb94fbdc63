import type { DataSource } from 'typeorm';
import type { Looked } from './books-schedule.js';
import { DEADLINE_PASSED, DECIDED_NOT_CHARGED } from './end-states.js';
import type { PaymentStatus } from './payment.entity.js';

/** A payment whose charge is looked at again. */
export interface DuePayment extends Looked {
  account_id: string;
  id: string;
  reference: string;
  provider_reference: string;
  amount: string;
  currency: string;
  source: string;
  reserved: string;
  /** As text, since a Date has no microseconds and would not be found again. */
  check_at: string;
}

/** A payment that a person decided. */
export interface DecidedPayment extends Looked {
  account_id: string;
  id: string;
  operation_id: string;
  status: PaymentStatus;
  reference: string;
  provider_reference: string | null;
  amount: string;
  currency: string;
  source: string;
  check_at: string;
}

/** A refund that is looked at again. */
export interface DueRefund extends Looked {
  account_id: string;
  id: string;
  payment_id: string;
  reference: string;
  provider_reference: string;
  charge_id: string;
  amount: string;
  currency: string;
  check_at: string;
}

/** Of one kind in one run. */
const BATCH = 50;

/** Gives what is due, one after the other: each is taken for ten minutes right before, and what another replica has is left out. */
export type Due<Row> = (dataSource: DataSource) => AsyncGenerator<Row>;

/** SKIP LOCKED, so that whoever comes second doesn't wait. `columns`: what is given beside `check_at`, of `taken`. */
function dueOf<Row>(table: string, which: string, columns: string, from = 'taken'): Due<Row> {
  const isDue = `check_at <= now() AND ${which}`;
  const find = `SELECT account_id, id FROM ${table} WHERE ${isDue} ORDER BY check_at LIMIT ${BATCH}`;
  const take = `
    WITH taken AS (
      UPDATE ${table} SET check_at = now() + interval '10 minutes'
       WHERE account_id = $1 AND id = ANY (ARRAY (SELECT id FROM ${table} WHERE account_id = $1 AND id = $2 AND ${isDue} FOR UPDATE SKIP LOCKED))
      RETURNING *)
    SELECT ${columns}, taken.check_at::text AS check_at, taken.created_at, now() AS taken_at FROM ${from}`;
  return async function* (dataSource) {
    for (const { account_id, id } of await dataSource.query<{ account_id: string; id: string }[]>(find)) {
      const [row] = await dataSource.query<Row[]>(take, [account_id, id]);
      if (row) yield row;
    }
  };
}

const AS_DUE = 'account_id, id, reference, provider_reference, amount, currency, source';

export const DUE_PAYMENTS = dueOf<DuePayment>(
  'payments',
  `status = 'succeeded' AND provider_reference IS NOT NULL`,
  `${AS_DUE}, amount_reserved AS reserved`,
);

/** What was concluded here and the provider may know better by now: that a charge did not happen, or that one did whose name nobody knew. */
const DECIDED = `(status = 'failed' AND failure_code IN ('${DECIDED_NOT_CHARGED}', '${DEADLINE_PASSED}') OR status = 'succeeded' AND provider_reference IS NULL)`;

export const DUE_DECIDED = dueOf<DecidedPayment>('payments', DECIDED, `${AS_DUE}, operation_id, status`);

export const DUE_REFUNDS = dueOf<DueRefund>(
  'refunds',
  `status = 'succeeded'`,
  `account_id, taken.id, taken.payment_id, taken.reference, taken.provider_reference, taken.amount, taken.currency, p.provider_reference AS charge_id`,
  'taken JOIN payments p USING (account_id)\n       WHERE p.id = taken.payment_id',
);

/** What has no time at all has books that don't change. */
export const LOOK_AGAIN = [
  `UPDATE payments SET check_at = now()
    WHERE account_id = $1 AND reference = $2 AND (status = 'succeeded' AND check_at IS NOT NULL OR ${DECIDED})`,
  `UPDATE refunds SET check_at = now() WHERE account_id = $1 AND reference = $2 AND status = 'succeeded' AND check_at IS NOT NULL`,
];

export const LOCK_PAYMENT = `SELECT FROM payments WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE`;

/** Sets when it is looked at again, not over news that came meanwhile: $3 is what `check_at` was. */
const setCheck = (table: string): string =>
  `UPDATE ${table} SET check_at = $4 WHERE account_id = $1 AND id = $2 AND check_at = $3::timestamptz`;
export const SET_CHECK = { payments: setCheck('payments'), refunds: setCheck('refunds') };

/** The provider's name of a charge that was decided without one. */
export const NAME_CHARGE = `UPDATE payments SET provider_reference = $3, version = version + 1 WHERE account_id = $1 AND id = $2 AND provider_reference IS NULL`;

export const FAIL_REFUND = `
  UPDATE refunds SET status = 'failed', failure_code = $3, check_at = NULL, version = version + 1, updated_at = now()
   WHERE account_id = $1 AND id = $2 AND status = 'succeeded' RETURNING id`;

export const GIVE_BACK = `
  UPDATE payments SET amount_refunded = amount_refunded - $3::bigint, amount_reserved = amount_reserved - $3::bigint,
                      version = version + 1, updated_at = now()
   WHERE account_id = $1 AND id = $2`;

/** Beside what a person was told before. */
export const FLAG_PAYMENT = `
  UPDATE payments
     SET review_reason = CASE WHEN review_reason IS NULL THEN $3 WHEN strpos(review_reason, $3) > 0 THEN review_reason ELSE review_reason || '; ' || $3 END
   WHERE account_id = $1 AND id = $2`;
