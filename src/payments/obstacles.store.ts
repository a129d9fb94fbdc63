import type { Statement, Transaction } from '../idempotency/index.js';
import { DEADLINE_PASSED } from './end-states.js';

const FIND_IN_FLIGHT: Statement = {
  name: 'payments-find-in-flight',
  text: `SELECT id FROM payments WHERE account_id = $1 AND order_id = $2 AND status = 'processing'`,
};

/** Each decline that is named is the oldest one of those that fill its brake; null where they are fewer. */
const FIND_OBSTACLES: Statement = {
  name: 'payments-find-obstacles',
  text: `SELECT EXISTS (SELECT FROM payments WHERE account_id = $1 AND order_id = $2 AND status = 'processing') AS in_flight,
                (SELECT updated_at FROM payments WHERE account_id = $1 AND order_id = $2 AND status = 'failed'
                    AND failure_code IS DISTINCT FROM '${DEADLINE_PASSED}'
                  ORDER BY id DESC OFFSET $3 LIMIT 1) AS order_decline,
                (SELECT updated_at FROM payments WHERE account_id = $1 AND status = 'failed'
                    AND failure_code IS DISTINCT FROM '${DEADLINE_PASSED}'
                  ORDER BY id DESC OFFSET $4 LIMIT 1) AS account_decline`,
};

interface ObstaclesRow extends Record<string, unknown> {
  in_flight: boolean;
  order_decline: Date | null;
  account_decline: Date | null;
}

/** Whether a payment of this order is under way. */
export async function isInFlight(tx: Transaction, accountId: string, orderId: string): Promise<boolean> {
  return (await tx.run(FIND_IN_FLIGHT, [accountId, orderId])).length > 0;
}

/** What is in the way of another payment of an order. */
export interface Obstacles {
  inFlight: boolean;
  /** When the n-th last payment of the order, and of the account, was declined. */
  orderDecline: Date | null;
  accountDecline: Date | null;
}

/** Looks for them, without a lock; `nth`: which of the last declines are asked for, counted from 1. */
export async function findObstacles(
  tx: Transaction,
  { accountId, orderId }: { accountId: string; orderId: string },
  nth: { order: number; account: number },
): Promise<Obstacles> {
  const values = [accountId, orderId, nth.order - 1, nth.account - 1];
  // Where the order is locked this comes behind the lock; where it isn't, this may leave with the claim.
  const [row] = await tx[tx.usedCached ? 'read' : 'run']<ObstaclesRow>(FIND_OBSTACLES, values);
  return { inFlight: row?.in_flight ?? false, orderDecline: row?.order_decline ?? null, accountDecline: row?.account_decline ?? null };
}
