import type { Check } from './check.js';

/**
 * Charges and refunds are compared the same way: rows here (`mine`, with id, account_id, reference, amount, currency,
 * status, provider_reference, charge) and entries of the provider's ledger (`audit_ledger`, told apart by `kind`).
 *
 * The ledger is read before the database. What it holds was asked for by a row that was committed earlier, so a missing
 * row is no matter of time. A row that says `succeeded`, however, may be younger than the ledger's picture: only those
 * that were written before the ledger was asked must be in it.
 */
function against(kind: 'charge' | 'refund', mine: string, prefix: string): Check[] {
  const ledger = `(SELECT * FROM audit_ledger WHERE kind = '${kind}')`;
  return [
    {
      kind: `${kind}-missing`,
      sql: `
        SELECT m.account_id, pg_temp.public_id('${prefix}', m.id) AS subject, 'succeeded, and the provider has no ${kind} of reference ' || m.reference AS detail
          FROM ${mine} m LEFT JOIN ${ledger} l ON l.reference = m.reference
         WHERE m.status = 'succeeded' AND m.updated_at < (SELECT ledger_read FROM audit_times) AND l.id IS NULL`,
    },
    {
      kind: `${kind}-differs`,
      sql: `
        SELECT m.account_id, pg_temp.public_id('${prefix}', m.id) AS subject,
               concat_ws(' ', 'is', m.amount, m.currency, m.provider_reference, m.charge)
                 || concat_ws(' ', ', at the provider', l.amount, l.currency, l.id, l.charge_id) AS detail
          FROM ${mine} m JOIN ${ledger} l ON l.reference = m.reference
         WHERE (m.amount, m.currency) IS DISTINCT FROM (l.amount, l.currency)
            OR m.charge IS DISTINCT FROM l.charge_id
            OR m.status = 'succeeded' AND m.provider_reference IS DISTINCT FROM l.id`,
    },
    {
      kind: `${kind}-twice`,
      sql: `
        SELECT min(m.account_id::text)::uuid AS account_id, coalesce(min(pg_temp.public_id('${prefix}', m.id)), l.reference) AS subject,
               'the provider has ' || count(DISTINCT l.id) || ' of them: ' || string_agg(DISTINCT l.id, ', ') AS detail
          FROM ${ledger} l LEFT JOIN ${mine} m ON m.reference = l.reference
         GROUP BY l.reference HAVING count(DISTINCT l.id) > 1`,
    },
    {
      kind: `${kind}-unknown-here`,
      sql: `
        SELECT NULL::uuid AS account_id, l.id AS subject, 'a ${kind} of ' || l.amount || ' ' || l.currency || ' that nothing here asked for, reference ' || l.reference
                 || ', made ' || l.made_at || coalesce(' for ' || l.origin, '') AS detail
          FROM ${ledger} l LEFT JOIN ${mine} m ON m.reference = l.reference
         WHERE m.id IS NULL AND NOT EXISTS (SELECT FROM restored_charges r WHERE l.reference IN (r.reference, r.refund_reference))`,
    },
    {
      kind: `${kind}-though-failed`,
      sql: `
        SELECT m.account_id, pg_temp.public_id('${prefix}', m.id) AS subject, 'failed here, and succeeded at the provider as ' || l.id AS detail
          FROM ${mine} m JOIN ${ledger} l ON l.reference = m.reference
         WHERE m.status = 'failed'`,
    },
  ];
}

/** A charge that showed after it had been decided that it did not happen, and is on its way back, contradicts nothing. */
const PAYMENTS = `(SELECT id, account_id, reference, amount, currency, updated_at,
                           CASE WHEN status = 'failed' AND amount_reserved = amount THEN 'given back' ELSE status END AS status, provider_reference, NULL::text AS charge FROM payments)`;
const REFUNDS = `(SELECT r.id, r.account_id, r.reference, r.amount, r.currency, r.status, r.updated_at, r.provider_reference, p.provider_reference AS charge
                    FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id)`;

/** Payments and refunds against the provider's ledger. */
export const ledgerChecks: readonly Check[] = [...against('charge', PAYMENTS, 'pay'), ...against('refund', REFUNDS, 're')];

/** Effects at the provider whose operation isn't finished here: nothing is wrong with them yet. */
export const PENDING_AT_PROVIDER = `
  SELECT count(*)::int AS count FROM audit_ledger l
   WHERE EXISTS (SELECT FROM payments p WHERE l.kind = 'charge' AND p.reference = l.reference AND p.status = 'processing')
      OR EXISTS (SELECT FROM refunds r WHERE l.kind = 'refund' AND r.reference = l.reference AND r.status = 'processing')`;
