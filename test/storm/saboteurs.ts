import type { Rule } from '../../storm/checker.js';
import { CALM, fullPlan, type Plan } from '../../storm/plan.js';
import type { Patch } from './broken-build.js';

/** A build that breaks one promise, a small storm in which that matters, and the rules of which one at least must notice. */
export interface Saboteur {
  name: string;
  patches: Patch[];
  plan: Partial<Plan>;
  noticedBy: Rule[];
}

const NEVER = { kill: 0, pause: 0, terminate: 0, sandbox: 0 };
const NOTHING = { kills: 0, pauses: 0, terminatedBackends: 0, sandboxRestarts: 0, repeatedProviderCalls: 0, clientRetries: 0 };
const ONE_CHARGE = 'one charge for each payment that succeeded, and none for any other';
const ONE_ORDER = 'one order and one ticket for each key';
const SAME_BYTES = 'all answers of one key are the same bytes';
const STORED = 'the answer is the one that is stored';

/** A calm and small storm, with what the saboteur needs laid over it. */
export function planOf({ plan }: Saboteur, seed: number): Plan {
  return {
    ...fullPlan({ operations: 40, seed }),
    actions: { pay: 1 },
    sources: { tok_visa: 1 },
    vanish: 0,
    impatience: 0,
    faults: CALM,
    cadence: NEVER,
    least: NOTHING,
    stuckAfter: 8_000,
    restWithin: 6_000,
    ...plan,
  };
}

/** No saboteur, in a storm that has something of every small one. */
export const INTACT: Saboteur = {
  name: 'nothing is wrong',
  patches: [],
  plan: {
    operations: 80,
    actions: { order: 1, pay: 2, refund: 1, cancel: 1 },
    sources: { tok_visa: 1, tok_hang_after: 2 },
    vanish: 0.3,
    impatience: 0.3,
    faults: { ...CALM, latencyMs: 50 },
    cadence: { kill: 0, pause: 20, terminate: 4, sandbox: 30 },
    stuckAfter: 60_000,
    // Short on purpose: the saboteurs' storms have no more, so what is unfinished there is so because of them.
    restWithin: 6_000,
  },
  noticedBy: [],
};

/**
 * Two that one may look for are missing, because nothing would notice them. A webhook that is not deduplicated wakes an
 * operation once more, and a recoverer without SKIP LOCKED waits for the other one's lock and then finds the row no longer
 * due: both are slower and no more. Nor do two runners of one operation do harm by themselves, since both use the same key
 * at the provider and only one of them can settle. In their place stand a webhook that is believed, an operation that is
 * taken over without becoming another attempt, and a recoverer that takes nothing over.
 */
export const SABOTEURS: Saboteur[] = [
  {
    name: 'the key at the provider is another one at each attempt',
    patches: [
      {
        file: 'idempotency/steps/step-runner.js',
        from: 'providerKey: providerKeyOf(held),',
        to: 'providerKey: providerKeyOf(held) + held.attempt,',
      },
    ],
    plan: { sources: { tok_hang_after: 1 } },
    noticedBy: [ONE_CHARGE],
  },
  // A runner that is paused inside a call finds, when it wakes, that the call's deadline has passed before it sees the
  // answer, and parks, which harms nothing. So nobody is paused here: calls may outlast the lease, and each does. The
  // first one under a key takes three leases, a repeat is answered at once, so whoever took over has settled long before
  // the first runner comes back.
  {
    name: 'nothing fences a runner that has lost its lease',
    patches: [
      {
        file: 'idempotency/steps/operation.store.js',
        from: "AND attempt = $4 AND step_no = $5 AND status = 'running'`;",
        to: 'AND $4::int IS NOT NULL AND $5::int IS NOT NULL`;',
      },
      { file: 'kernel/config.js', from: 'values.IDEMPOTENCY_LEASE <= values.PROVIDER_TIMEOUT', to: 'false' },
    ],
    plan: { sources: { tok_slow: 1 }, impatience: 0.5, env: { PROVIDER_TIMEOUT: '10s' } },
    noticedBy: [STORED, SAME_BYTES, 'what the client was told of its payment is true'],
  },
  {
    name: 'an unknown outcome is stored as a failure',
    patches: [
      {
        file: 'payments/charge.step.js',
        from: "case 'unknown':\n                return this.wait(tx, paymentId, outcome, run);",
        to: "case 'unknown': return this.declined(tx, paymentId, 'unknown', run);",
      },
    ],
    plan: { sources: { tok_hang_after: 1 } },
    noticedBy: [ONE_CHARGE],
  },
  {
    name: 'a webhook is believed, and the provider not asked',
    patches: [
      {
        file: 'payments/provider-events.service.js',
        from: 'if (fresh.length === 0 || reference === null) return;',
        to: `await this.dataSource.query("WITH p AS (UPDATE payments SET status = 'succeeded' WHERE reference = $1 AND status = 'processing' RETURNING account_id, order_id) UPDATE orders o SET status = 'paid', version = version + 1 FROM p WHERE o.account_id = p.account_id AND o.id = p.order_id", [reference]);`,
      },
    ],
    plan: { sources: { tok_hang_after: 1 } },
    noticedBy: ['what the client was told of its payment is true', ONE_CHARGE],
  },
  {
    name: 'the provider is called before the first commit',
    patches: [
      {
        file: 'payments/provider/guarded-provider.js',
        from: 'this.timeoutMs = timeoutMs;',
        to: 'this.timeoutMs = timeoutMs; globalThis.provider = provider;',
      },
      {
        file: 'payments/payments.service.js',
        from: 'insertPayment(tx, payment);',
        to: 'insertPayment(tx, payment); await globalThis.provider.charge({ reference: payment.reference, amount, currency, source }, tx.nextProviderKey(ChargeStep), 500);',
      },
    ],
    plan: { operations: 80, vanish: 0.6, faults: { ...CALM, latencyMs: 150 }, cadence: { ...NEVER, terminate: 1 } },
    noticedBy: [ONE_CHARGE],
  },
  {
    name: 'a 5xx is stored as an outcome',
    patches: [
      {
        file: 'http/problem.filter.js',
        from: "if (!problem.final) return 'not-final';",
        to: "if (!problem.final && problem.status < 500) return 'not-final';",
      },
    ],
    plan: { operations: 80, actions: { order: 1, pay: 1 }, cadence: { ...NEVER, terminate: 2 }, stuckAfter: 3_000 },
    noticedBy: ['only outcomes are stored'],
  },
  {
    name: 'the purge takes unfinished operations as well',
    patches: [
      {
        file: 'idempotency/records/purger.js',
        from: "WHERE status = 'completed' AND expires_at BETWEEN $2 AND now()",
        to: "WHERE status = 'running' OR expires_at BETWEEN $2 AND now()",
      },
      {
        file: 'idempotency/records/purger.js',
        from: "AND status = 'completed' AND expires_at BETWEEN $2 AND now()",
        to: "AND (status = 'running' OR expires_at BETWEEN $2 AND now())",
      },
      {
        file: 'idempotency/records/archive.js',
        from: 'g.created_at, g.completed_at, g.expires_at, clock_timestamp()',
        to: 'g.created_at, coalesce(g.completed_at, now()), coalesce(g.expires_at, now()), clock_timestamp()',
      },
    ],
    plan: { sources: { tok_hang_after: 1 }, env: { IDEMPOTENCY_PURGE_INTERVAL: '100ms' } },
    noticedBy: ['every payment and refund belongs to a record'],
  },
  {
    name: 'the recoverer takes nothing over',
    patches: [
      {
        file: 'idempotency/steps/recoverer.js',
        from: 'const { text, values } = takeDue(',
        to: 'return; const { text, values } = takeDue(',
      },
    ],
    plan: { sources: { tok_hang_after: 1 }, vanish: 0.5 },
    noticedBy: ['nothing is left unfinished'],
  },
  {
    name: 'an operation is taken over without becoming another attempt',
    patches: [
      {
        file: 'idempotency/steps/operation.store.js',
        from: 'SET attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $3)',
        to: 'SET lease_until = clock_timestamp() + make_interval(secs => $3)',
      },
      {
        file: 'idempotency/steps/operation.store.js',
        from: 'SET attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $1)',
        to: 'SET lease_until = clock_timestamp() + make_interval(secs => $1)',
      },
    ],
    plan: { operations: 80, sources: { tok_hang_after: 1 }, vanish: 0.6, cadence: { ...NEVER, sandbox: 8 } },
    noticedBy: [ONE_CHARGE],
  },
  {
    name: 'two requests with one key both win',
    patches: [
      {
        file: 'idempotency/records/record.store.js',
        from: 'pg_try_advisory_xact_lock($1::bigint) AS locked',
        to: '$1::bigint IS NOT NULL AS locked',
      },
      {
        file: 'idempotency/records/record.store.js',
        from: 'text: `${COMPLETED} RETURNING expires_at`',
        to: 'text: `${COMPLETED} ON CONFLICT (account_id, key) DO UPDATE SET operation_id = excluded.operation_id RETURNING expires_at`',
      },
      {
        file: 'idempotency/records/record.store.js',
        from: 'WHERE CASE WHEN pg_try_advisory_xact_lock($12::bigint) THEN true ELSE speculation_failed() END',
        to: 'WHERE $12::bigint IS NOT NULL ON CONFLICT (account_id, key) DO UPDATE SET operation_id = excluded.operation_id',
      },
    ],
    plan: { actions: { order: 1 }, impatience: 1 },
    noticedBy: [ONE_ORDER, SAME_BYTES],
  },
];
