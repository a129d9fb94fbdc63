import { stepName } from '../idempotency/index.js';
import { ORDERS_PATH } from '../orders/order.dto.js';
import { ChargeStep } from '../payments/charge.step.js';
import { PAYMENTS_PATH, REFUNDS_OF_PAYMENT_PATH, REFUNDS_PATH } from '../payments/payment-replies.js';
import { CancelRefundStep } from '../payments/cancel-refund.step.js';
import { CompensateStep } from '../payments/compensate.step.js';
import { LateRefundStep } from '../payments/late-refund.step.js';
import { DeadlineRefundStep } from '../payments/deadline-refund.step.js';
import { DEADLINE_PASSED } from '../payments/end-states.js';
import { DecideStep } from '../payments/decide.step.js';
import { RefundStep } from '../payments/refund.step.js';
import { TICKETS_PATH } from '../tickets/ticket.dto.js';
import type { Check } from './check.js';

const REFUNDING = `POST ${REFUNDS_OF_PAYMENT_PATH}`;
/** Operations whose 201 stands for one new thing. */
export const CREATING: readonly string[] = [`POST ${ORDERS_PATH}`, `POST ${TICKETS_PATH}`, `POST ${PAYMENTS_PATH}`, REFUNDING];

const CHARGING = stepName(ChargeStep);
const DECIDING = stepName(DecideStep);
/** Steps that a payment is processing for, that a decision waits for, or else those of a refund. */
export const STEPS: readonly string[] = [
  CHARGING,
  DECIDING,
  ...[RefundStep, CompensateStep, DeadlineRefundStep, CancelRefundStep, LateRefundStep].map(stepName),
];

/** Where the things are found that operations make or change. */
const RESOURCES = [ORDERS_PATH, TICKETS_PATH, PAYMENTS_PATH, REFUNDS_PATH];

/** Names of this program's own, as a list in SQL. */
const listOf = (names: readonly string[]): string => `(${names.map((name) => `'${name}'`).join(', ')})`;

/** Operations that run for long, with the payment that they are about, or whose refund. */
const RUNNING_LONG = `
  SELECT o.account_id, o.operation_id, o.operation, o.parked_reason, p.id AS payment_id, p.review_reason,
         to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since
    FROM idempotency_records o
    LEFT JOIN refunds r ON r.account_id = o.account_id AND r.id = o.subject_id
    LEFT JOIN payments p ON p.account_id = o.account_id AND p.id = coalesce(r.payment_id, o.subject_id)
   WHERE o.status = 'running' AND o.created_at < (SELECT long_ago FROM audit_times)`;

/** Records and archive against what they say was made, in both directions. */
export const recordChecks: readonly Check[] = [
  {
    kind: 'effect-missing',
    sql: `
      SELECT o.account_id, o.resource AS subject, 'made or changed by ' || min(pg_temp.public_id('op', o.operation_id)) || ', and is not there' AS detail
        FROM audit_operations o LEFT JOIN audit_resources r ON r.account_id = o.account_id AND r.path = o.resource
       WHERE o.status = 'completed' AND r.path IS NULL AND o.resource ~ '^(${RESOURCES.join('|')})/'
       GROUP BY o.account_id, o.resource`,
  },
  {
    kind: 'effect-without-operation',
    needsArchive: true,
    sql: `
      SELECT r.account_id, r.path AS subject, 'no operation made it' AS detail
        FROM audit_resources r
       WHERE r.kind IN ('order', 'ticket') AND r.created_at > (SELECT horizon FROM audit_times)
         AND NOT EXISTS (SELECT FROM audit_operations o
                          WHERE o.account_id = r.account_id AND o.resource = r.path AND o.response_status = 201 AND o.operation IN ${listOf(CREATING)})
      UNION ALL
      SELECT r.account_id, r.path, 'its operation ' || pg_temp.public_id('op', r.operation_id) || ' is neither in the records nor in the archive'
        FROM audit_resources r
       WHERE r.kind IN ('payment', 'refund') AND r.created_at > (SELECT horizon FROM audit_times)
         AND NOT EXISTS (SELECT FROM audit_operations o WHERE o.account_id = r.account_id AND o.operation_id = r.operation_id)
         AND NOT EXISTS (SELECT FROM audit_restored x WHERE x.account_id = r.account_id AND r.path IN (x.payment, x.refund))`,
  },
  {
    kind: 'version-without-event',
    sql: `
      WITH since AS (SELECT greatest(min(created_at), now() - interval '29 days') AS since FROM events),
      told AS (
        SELECT account_id, pg_temp.public_id('ord', id) AS subject, 'version ' || v AS what
          FROM orders, since, generate_series(CASE WHEN created_at > since THEN 1 ELSE version END, version) AS v WHERE updated_at > since
        UNION ALL
        SELECT account_id, pg_temp.public_id('tkt', id), 'version ' || v
          FROM tickets, since, generate_series(CASE WHEN created_at > since THEN 1 ELSE version END, version) AS v WHERE updated_at > since
        UNION ALL
        SELECT account_id, pg_temp.public_id('pay', id), 'payment.' || s
          FROM payments, since, unnest(ARRAY['processing', nullif(status, 'processing')]) AS s
         WHERE created_at > since AND s IS NOT NULL
           AND (s <> 'processing' OR (account_id, reference) NOT IN (SELECT account_id, reference FROM restored_charges))
        UNION ALL
        SELECT account_id, pg_temp.public_id('re', id), 'refund.' || status FROM refunds, since WHERE created_at > since AND status <> 'processing')
      SELECT t.account_id, t.subject, 'no event tells of ' || string_agg(t.what, ', ' ORDER BY t.what) AS detail
        FROM told t
       WHERE NOT EXISTS (SELECT FROM events e
                          WHERE e.account_id = t.account_id AND e.resource_id = t.subject
                            AND t.what IN ('version ' || e.resource_version, e.type))
       GROUP BY t.account_id, t.subject`,
  },
  {
    kind: 'effect-claimed-twice',
    sql: `
      SELECT account_id, resource AS subject, count(*) || ' operations say that they made it' AS detail
        FROM audit_operations
       WHERE status = 'completed' AND response_status = 201 AND operation IN ${listOf(CREATING)}
       GROUP BY account_id, resource HAVING count(*) > 1`,
  },
  {
    kind: 'operation-with-two-effects',
    sql: `
      SELECT r.account_id, pg_temp.public_id('op', r.operation_id) AS subject, 'made ' || string_agg(r.path, ', ') AS detail
        FROM audit_resources r LEFT JOIN audit_operations o ON o.account_id = r.account_id AND o.operation_id = r.operation_id
       WHERE r.kind = 'payment' OR r.kind = 'refund' AND o.operation = '${REFUNDING}'
       GROUP BY r.account_id, r.operation_id, r.kind HAVING count(*) > 1`,
  },
  {
    kind: 'answer-against-payment',
    sql: `
      SELECT p.account_id, pg_temp.public_id('pay', p.id) AS subject, 'is ' || p.status || ', and its key answers ' || o.response_status AS detail
        FROM payments p JOIN audit_operations o ON o.account_id = p.account_id AND o.operation_id = p.operation_id
       WHERE o.status = 'completed'
         AND p.status <> CASE o.response_status WHEN 201 THEN 'succeeded' WHEN 409 THEN CASE WHEN p.failure_code = '${DEADLINE_PASSED}' THEN 'failed' ELSE 'succeeded' END WHEN 402 THEN 'failed' ELSE '' END`,
  },
  {
    // A refund that the provider took back later stays answered 201; it keeps the provider's name of it.
    kind: 'answer-against-refund',
    sql: `
      SELECT r.account_id, pg_temp.public_id('re', r.id) AS subject, 'is ' || r.status || ', and its key answers ' || o.response_status AS detail
        FROM refunds r JOIN audit_operations o ON o.account_id = r.account_id AND o.operation_id = r.operation_id
       WHERE o.status = 'completed' AND o.operation = '${REFUNDING}'
         AND CASE o.response_status WHEN 201 THEN r.status = 'failed' AND r.provider_reference IS NULL
                                    WHEN 402 THEN r.status <> 'failed' ELSE true END`,
  },
  {
    kind: 'running-without-effect',
    sql: `
      SELECT o.account_id, pg_temp.public_id('op', o.operation_id) AS subject,
             'waits for ' || o.recovery_point || ', and nothing of it is processing' AS detail
        FROM idempotency_records o
       WHERE o.status = 'running' AND o.recovery_point IN ${listOf(STEPS)}
         AND NOT EXISTS (SELECT FROM payments p
                          WHERE o.recovery_point = '${CHARGING}' AND p.account_id = o.account_id AND p.id = o.subject_id AND p.status = 'processing')
         AND NOT EXISTS (SELECT FROM payment_decisions d
                          WHERE o.recovery_point = '${DECIDING}' AND d.account_id = o.account_id AND d.id = o.subject_id AND d.settled_at IS NULL)
         AND NOT EXISTS (SELECT FROM refunds r
                          WHERE o.recovery_point <> '${CHARGING}' AND r.account_id = o.account_id AND r.id = o.subject_id AND r.status = 'processing')`,
  },
  {
    kind: 'processing-without-operation',
    sql: `
      SELECT e.account_id, e.subject, 'is processing, and its operation ' || pg_temp.public_id('op', e.operation_id) || ' is not running' AS detail
        FROM (SELECT account_id, operation_id, pg_temp.public_id('pay', id) AS subject FROM payments WHERE status = 'processing'
              UNION ALL
              SELECT account_id, operation_id, pg_temp.public_id('re', id) FROM refunds WHERE status = 'processing') e
       WHERE NOT EXISTS (SELECT FROM idempotency_records o
                          WHERE o.account_id = e.account_id AND o.operation_id = e.operation_id AND o.status = 'running')`,
  },
  {
    kind: 'needs-review',
    sql: `
      SELECT account_id, pg_temp.public_id('pay', payment_id) AS subject,
             pg_temp.public_id('op', operation_id) || ' waits for a person since ' || since || ': ' || review_reason AS detail
        FROM (${RUNNING_LONG}) o WHERE review_reason IS NOT NULL`,
  },
];

/** Operations that have run for long. Nothing is wrong with them, since unknown is a state, but a person may want to know. */
export const WAITING: Check = {
  kind: 'waiting',
  sql: `
    SELECT account_id, pg_temp.public_id('op', operation_id) AS subject, operation || ' since ' || since || ': ' || coalesce(parked_reason, 'it runs') AS detail
      FROM (${RUNNING_LONG}) o WHERE review_reason IS NULL`,
};
