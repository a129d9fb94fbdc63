import type { DataSource } from 'typeorm';
import { operationUuid } from '../../idempotency/index.js';
import { uuidOf } from '../../kernel/ids.js';
import type { LedgerEntry, ProviderLedger } from '../provider/ledger.js';

/** Entries that are compared at once. */
const BATCH = 5_000;

/** Whose a charge is, by what the provider was told; uuids. */
export interface Owner {
  accountId: string;
  orderId: string;
  paymentId: string;
  operationId: string;
}

/** A charge at the provider that has no payment here, and about which nothing was decided. */
export interface LostCharge {
  charge: LedgerEntry;
  /** Null where the provider knows none, or one of an account that is not here: then it is none of ours, as far as can be told. */
  owner: Owner | null;
  /** Why it can't be adopted; null where its order waits for just this payment. */
  obstacle: string | null;
}

const KNOWN_HERE = `
  SELECT reference FROM payments WHERE reference = ANY ($1)
  UNION ALL SELECT reference FROM restored_charges WHERE reference = ANY ($1)`;

/** Payments made nothing after it but what was lost; a day earlier, since clocks differ and commits take time. */
const NEWEST = `
  SELECT coalesce(max(p.created_at), 'epoch') - interval '1 day' AS since FROM payments p
   WHERE NOT EXISTS (SELECT FROM restored_charges r WHERE r.account_id = p.account_id AND r.reference = p.reference)`;

const OWN = `SELECT id FROM accounts WHERE id = ANY ($1::uuid[])`;

const ORDER = `
  SELECT o.status, o.total::float8 AS total, o.currency,
         EXISTS (SELECT FROM payments p WHERE p.account_id = o.account_id AND p.order_id = o.id AND p.status IN ('processing', 'succeeded')) AS is_taken
    FROM orders o WHERE o.account_id = $1 AND o.id = $2`;

/** From when on charges may have lost their payment: the restored database's own are older. */
export async function lossesSince(dataSource: DataSource): Promise<Date> {
  const [row] = await dataSource.query<{ since: Date }[]>(NEWEST);
  return row?.since ?? new Date(0);
}

/** Every one of them, oldest first. The ledger is read before the database, so that what is under way has its row. @throws Error when either can't be read */
export async function findLostCharges(dataSource: DataSource, ledger: ProviderLedger): Promise<LostCharge[]> {
  const { charges, refunded } = await readLedger(ledger);
  const known = new Set<string>();
  for (let at = 0; at < charges.length; at += BATCH) {
    const references = charges.slice(at, at + BATCH).map(({ reference }) => reference);
    for (const { reference } of await dataSource.query<{ reference: string }[]>(KNOWN_HERE, [references])) known.add(reference);
  }
  const left = charges.toSorted(byTime).filter(({ id, amount, reference }) => !known.has(reference) && (refunded.get(id) ?? 0) < amount);
  const owners = left.map(ownerOf);
  const accounts = await dataSource.query<{ id: string }[]>(OWN, [owners.flatMap((owner) => owner?.accountId ?? [])]);
  const here = new Set(accounts.map(({ id }) => id));
  const lost: LostCharge[] = [];
  for (const [n, charge] of left.entries()) {
    const owner = owners[n] && here.has(owners[n].accountId) ? owners[n] : null;
    const partly = (refunded.get(charge.id) ?? 0) > 0 ? 'a part of it was refunded' : null;
    lost.push({ charge, owner, obstacle: partly ?? (owner && (await obstacleOf(dataSource, charge, owner))) });
  }
  return lost;
}

async function readLedger(ledger: ProviderLedger): Promise<{ charges: LedgerEntry[]; refunded: Map<string, number> }> {
  const charges: LedgerEntry[] = [];
  const refunded = new Map<string, number>();
  for await (const entry of ledger.ledger()) {
    if (entry.chargeId === null) charges.push(entry);
    else refunded.set(entry.chargeId, (refunded.get(entry.chargeId) ?? 0) + entry.amount);
  }
  return { charges, refunded };
}

function byTime(one: LedgerEntry, other: LedgerEntry): number {
  return Date.parse(one.createdAt) - Date.parse(other.createdAt);
}

function ownerOf({ origin }: LedgerEntry): Owner | null {
  const accountId = uuidOf('acct', origin.account ?? '');
  const orderId = uuidOf('ord', origin.order ?? '');
  const paymentId = uuidOf('pay', origin.payment ?? '');
  const operationId = operationUuid(origin.operation ?? '');
  return accountId && orderId && paymentId && operationId ? { accountId, orderId, paymentId, operationId } : null;
}

async function obstacleOf(dataSource: DataSource, charge: LedgerEntry, { accountId, orderId }: Owner): Promise<string | null> {
  const [order] = await dataSource.query<{ status: string; total: number; currency: string; is_taken: boolean }[]>(ORDER, [
    accountId,
    orderId,
  ]);
  if (!order) return 'its order is lost, too';
  if (order.status !== 'pending') return `its order is ${order.status}`;
  if (order.is_taken) return 'its order has another payment';
  if (order.total !== charge.amount || order.currency !== charge.currency) return `its order costs ${order.total} ${order.currency}`;
  return null;
}
