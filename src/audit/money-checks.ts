import type { Check } from './check.js';

/** Stocks, orders, payments and refunds against each other. */
export const moneyChecks: readonly Check[] = [
  {
    kind: 'stock-sum',
    // A product without a line in the ledger came by SQL: nobody wrote down how much there was at first.
    sql: `
      SELECT p.account_id, p.id AS subject, 'its stock is ' || p.stock || ', its changes and orders leave ' || c.added - coalesce(o.taken, 0) AS detail
        FROM products p
        JOIN (SELECT account_id, product_id, sum(change) AS added FROM stock_changes GROUP BY account_id, product_id) c
          ON c.account_id = p.account_id AND c.product_id = p.id
        LEFT JOIN (SELECT i.account_id, i.product_id, sum(i.quantity) AS taken
                     FROM order_items i JOIN orders o ON o.account_id = i.account_id AND o.id = i.order_id
                    WHERE o.status <> 'cancelled' GROUP BY i.account_id, i.product_id) o
          ON o.account_id = p.account_id AND o.product_id = p.id
       WHERE p.stock IS DISTINCT FROM c.added - coalesce(o.taken, 0)`,
  },
  {
    kind: 'order-total',
    sql: `
      SELECT o.account_id, pg_temp.public_id('ord', o.id) AS subject, 'its total is ' || o.total || ', its items are worth ' || coalesce(i.worth, 0) AS detail
        FROM orders o
        LEFT JOIN (SELECT account_id, order_id, sum(quantity * unit_price) AS worth FROM order_items GROUP BY account_id, order_id) i
          ON i.account_id = o.account_id AND i.order_id = o.id
       WHERE o.total IS DISTINCT FROM i.worth`,
  },
  {
    kind: 'order-paid-twice',
    sql: `
      SELECT account_id, pg_temp.public_id('ord', order_id) AS subject, count(*) || ' payments of it are processing or succeeded' AS detail
        FROM payments WHERE status IN ('processing', 'succeeded')
       GROUP BY account_id, order_id HAVING count(*) > 1`,
  },
  {
    kind: 'order-status',
    sql: `
      SELECT o.account_id, pg_temp.public_id('ord', o.id) AS subject, 'is ' || o.status || ', with ' || coalesce(p.succeeded, 0) || ' succeeded payments' AS detail
        FROM orders o
        LEFT JOIN (SELECT account_id, order_id, count(*) AS succeeded FROM payments WHERE status = 'succeeded' GROUP BY account_id, order_id) p
          ON p.account_id = o.account_id AND p.order_id = o.id
       WHERE o.status = 'paid' AND p.succeeded IS DISTINCT FROM 1 OR o.status = 'pending' AND p.succeeded IS NOT NULL`,
  },
  {
    kind: 'cancelled-order-keeps-money',
    sql: `
      SELECT o.account_id, pg_temp.public_id('ord', o.id) AS subject,
             p.amount - p.amount_reserved || ' ' || p.currency || ' of ' || pg_temp.public_id('pay', p.id) || ' are neither refunded nor about to be' AS detail
        FROM orders o JOIN payments p ON p.account_id = o.account_id AND p.order_id = o.id
       WHERE o.status = 'cancelled' AND p.status = 'succeeded' AND p.amount_reserved < p.amount`,
  },
  {
    kind: 'payment-amount',
    sql: `
      SELECT p.account_id, pg_temp.public_id('pay', p.id) AS subject,
             'is of ' || p.amount || ' ' || p.currency || ', its order of ' || o.total || ' ' || o.currency AS detail
        FROM payments p JOIN orders o ON o.account_id = p.account_id AND o.id = p.order_id
       WHERE (p.amount, p.currency) IS DISTINCT FROM (o.total, o.currency)`,
  },
  {
    kind: 'refund-sums',
    sql: `
      SELECT p.account_id, pg_temp.public_id('pay', p.id) AS subject,
             'says ' || p.amount_refunded || ' refunded and ' || p.amount_reserved || ' with those under way, its refunds say '
                     || coalesce(r.refunded, 0) || ' and ' || coalesce(r.reserved, 0) AS detail
        FROM payments p
        LEFT JOIN (SELECT account_id, payment_id, sum(amount) AS reserved, coalesce(sum(amount) FILTER (WHERE status = 'succeeded'), 0) AS refunded
                     FROM refunds WHERE status <> 'failed' GROUP BY account_id, payment_id) r
          ON r.account_id = p.account_id AND r.payment_id = p.id
       WHERE (p.amount_refunded, p.amount_reserved) IS DISTINCT FROM (coalesce(r.refunded, 0), coalesce(r.reserved, 0))`,
  },
  {
    kind: 'refund-currency',
    sql: `
      SELECT r.account_id, pg_temp.public_id('re', r.id) AS subject, 'is in ' || r.currency || ', its payment in ' || p.currency AS detail
        FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id
       WHERE r.currency <> p.currency`,
  },
];
