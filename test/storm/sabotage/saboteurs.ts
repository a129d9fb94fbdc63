import { AppModule } from '../../../src/app.module.js';
import { renderProblem } from '../../../src/http/problem.js';
import { problemOf, renderFinal } from '../../../src/http/problem.filter.js';
import { IdempotencyModule, Operations } from '../../../src/idempotency/index.js';
import { enterBy } from '../../../src/idempotency/postgres/account-scope.js';
import { Purger } from '../../../src/idempotency/records/purger.js';
import { COMPLETED, INSERT_COMPLETED } from '../../../src/idempotency/records/record.store.js';
import { LOCK } from '../../../src/idempotency/requests/locks.js';
import { Recoverer } from '../../../src/idempotency/steps/recoverer.js';
import { StepRunner } from '../../../src/idempotency/steps/step-runner.js';
import { publicId } from '../../../src/kernel/ids.js';
import { ChargeStep } from '../../../src/payments/charge.step.js';
import { PaymentsService } from '../../../src/payments/payments.service.js';
import { SandboxProvider } from '../../../src/payments/provider/sandbox-provider.js';
import type { Rule } from '../../../storm/checker.js';
import { CALM, LEASE_MS, fullPlan, type Injections, type Plan } from '../../../storm/plan.js';
import { CALM_RECEIVER } from '../../../storm/receiver.js';
import { override, replaceStatement, runSql } from './seams.js';
import { SABOTEURS_OF_WHAT_IS_TOLD } from './told.js';
import { ARCHIVE_UNFINISHED } from './unfinished.js';

/** A change of the service that breaks one promise, a small storm in which that matters, and the rules of which one at least must notice. */
export interface Saboteur {
  name: string;
  /** Run in each replica before it starts. */
  sabotage: () => void | Promise<void>;
  plan: Partial<Plan>;
  noticedBy: Rule[];
}

const NEVER = { kill: 0, pause: 0, terminate: 0, sandbox: 0 };
const NOTHING: Injections = {
  kills: 0,
  pauses: 0,
  terminatedBackends: 0,
  sandboxRestarts: 0,
  repeatedProviderCalls: 0,
  clientRetries: 0,
  sealedKeys: 0,
  passedDeadlines: 0,
  possibleDuplicates: 0,
  repeatedWebhooks: 0,
};
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
    receiver: CALM_RECEIVER,
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
  sabotage: () => undefined,
  plan: {
    operations: 80,
    actions: {
      order: 1,
      batch: 1,
      pay: 2,
      'pay-again': 1,
      'pay-in-time': 1,
      refund: 1,
      'refund-refused': 1,
      cancel: 1,
      'give-up': 1,
      product: 1,
      stock: 1,
    },
    sources: { tok_visa: 1, tok_hang_after: 2 },
    vanish: 0.3,
    impatience: 0.3,
    faults: { ...CALM, latencyMs: 50 },
    cadence: { kill: 0, pause: 20, terminate: 4, sandbox: 30 },
    stuckAfter: 60_000,
    // At rest it is over at once, as a rule in less than the 6 s of the saboteurs' storms; three storms on a slow machine take longer.
    restWithin: 60_000,
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
    sabotage: newKeyEachTime,
    plan: { sources: { tok_hang_after: 1 } },
    noticedBy: [ONE_CHARGE],
  },
  // A runner that is paused inside a call finds, when it wakes, that the call's deadline has passed before it sees the
  // answer, and parks, which harms nothing. So nobody is paused here: calls may outlast the lease, and each does. The
  // first one under a key takes three leases, a repeat is answered at once, so whoever took over has settled long before
  // the first runner comes back.
  {
    name: 'nothing fences a runner that has lost its lease',
    sabotage: fenceNobody,
    plan: { sources: { tok_slow: 1 }, impatience: 0.5, env: { PROVIDER_TIMEOUT: '10s', IDEMPOTENCY_LEASE: '11s' } },
    noticedBy: [STORED, SAME_BYTES, 'what the client was told of its payment is true'],
  },
  {
    name: 'an unknown outcome is stored as a failure',
    sabotage: failTheUnknown,
    plan: { sources: { tok_hang_after: 1 } },
    noticedBy: [ONE_CHARGE],
  },
  {
    name: 'a webhook is believed, and the provider not asked',
    sabotage: believeWebhooks,
    plan: { sources: { tok_hang_after: 1 } },
    noticedBy: ['what the client was told of its payment is true', ONE_CHARGE],
  },
  {
    name: 'the provider is called before the first commit',
    sabotage: chargeBeforeCommit,
    plan: { operations: 80, vanish: 0.6, faults: { ...CALM, latencyMs: 150 }, cadence: { ...NEVER, terminate: 1 } },
    noticedBy: [ONE_CHARGE],
  },
  {
    name: 'a 5xx is stored as an outcome',
    sabotage: storeFailures,
    plan: { operations: 80, actions: { order: 1, pay: 1 }, cadence: { ...NEVER, terminate: 2 }, stuckAfter: 3_000 },
    noticedBy: ['only outcomes are stored'],
  },
  {
    name: 'the purge takes unfinished operations as well',
    sabotage: purgeUnfinished,
    plan: { sources: { tok_hang_after: 1 }, env: { IDEMPOTENCY_PURGE_INTERVAL: '100ms' } },
    noticedBy: ['every payment and refund belongs to a record'],
  },
  {
    name: 'the recoverer takes nothing over',
    sabotage: recoverNothing,
    plan: { sources: { tok_hang_after: 1 }, vanish: 0.5 },
    noticedBy: ['nothing is left unfinished'],
  },
  {
    name: 'an operation is taken over without becoming another attempt',
    sabotage: countNoAttempt,
    plan: { operations: 80, sources: { tok_hang_after: 1 }, vanish: 0.6, cadence: { ...NEVER, sandbox: 8 } },
    noticedBy: [ONE_CHARGE],
  },
  {
    name: 'two requests with one key both win',
    sabotage: letBothWin,
    plan: { actions: { order: 1 }, impatience: 1 },
    noticedBy: [ONE_ORDER, SAME_BYTES],
  },
  ...SABOTEURS_OF_WHAT_IS_TOLD,
];

function newKeyEachTime(): void {
  override(
    ChargeStep.prototype,
    'call',
    (call, used) =>
      function (this: ChargeStep, paymentId, run) {
        if (run.attempt > 1) used();
        return call.call(this, paymentId, { ...run, providerKey: `${run.providerKey}${run.attempt}` });
      },
  );
}

/**
 * The statement that looks for the record as its runner held it makes it so instead, also when it is finished; whatever
 * settles behind it then finds what it expects. The configuration refuses a lease that is shorter than the provider's
 * deadline, so the core gets one behind that check.
 */
async function fenceNobody(): Promise<void> {
  await letFinalChange();
  override(AppModule, 'with', (original, used) => (config) => {
    used();
    return original.call(AppModule, { ...config, lease: LEASE_MS });
  });
  replaceStatement(
    'idempotency-hold',
    `UPDATE idempotency_records
        SET attempt = $4, step_no = $5, status = 'running', next_run_at = coalesce(next_run_at, clock_timestamp())
      WHERE account_id = $1 AND key = $2 AND operation_id = $3
     RETURNING date_trunc('milliseconds', clock_timestamp()) AS now`,
  );
}

function failTheUnknown(): void {
  override(
    ChargeStep.prototype,
    'settle',
    (settle, used) =>
      function (this: ChargeStep, tx, paymentId, outcome, run) {
        if (outcome.kind !== 'unknown') return settle.call(this, tx, paymentId, outcome, run);
        used();
        return settle.call(this, tx, paymentId, { kind: 'declined', code: 'unknown' }, run);
      },
  );
}

function believeWebhooks(): void {
  override(Operations.prototype, 'wake', (_wake, used) => async (accountId, operationId) => {
    const believed = await runSql(
      `WITH p AS (UPDATE payments SET status = 'succeeded' WHERE account_id = $1 AND operation_id = $2 AND status = 'processing'
                  RETURNING account_id, order_id)
       UPDATE orders o SET status = 'paid', version = version + 1 FROM p WHERE o.account_id = p.account_id AND o.id = p.order_id RETURNING o.id`,
      [accountId, operationId],
    );
    if (believed.length > 0) used();
  });
}

/** Past the bounds that the service puts around its provider, which refuse a call from inside a transaction. */
function chargeBeforeCommit(): void {
  const provider = new SandboxProvider(process.env['PROVIDER_URL'] ?? '');
  override(
    PaymentsService.prototype,
    'open',
    (open, used) =>
      async function (this: PaymentsService, tx, accountId, body) {
        const payment = await open.call(this, tx, accountId, body);
        const { reference, amount, currency, source } = payment;
        const account = publicId('acct', payment.accountId);
        const origin = { order: publicId('ord', payment.orderId), payment: publicId('pay', payment.id), operation: tx.operationId };
        const request = { account, reference, amount, currency, source, origin };
        // Time enough for a slow machine: a charge that was given up is in the ledger too, but nobody here could tell.
        const outcome = await provider.charge(request, tx.nextProviderKey(ChargeStep), 5_000);
        if (outcome.kind === 'succeeded') used();
        return payment;
      },
  );
}

function storeFailures(): void {
  override(IdempotencyModule, 'forRoot', (forRoot, used) => (options) => {
    const render: typeof options.render = (error, context) => {
      const problem = problemOf(error);
      if (problem.final || problem.status < 500) return renderFinal(error, context);
      used();
      return renderProblem(problem, { instance: `/v1/operations/${context.operationId}`, requestId: context.traceId });
    };
    return forRoot.call(IdempotencyModule, { ...options, render });
  });
}

function purgeUnfinished(): void {
  override(
    Purger.prototype,
    'purge',
    (purge, used) =>
      async function (this: Purger) {
        const [taken] = await runSql(ARCHIVE_UNFINISHED);
        if (Number(taken?.['count']) > 0) used();
        return purge.call(this);
      },
  );
}

function recoverNothing(): void {
  override(Recoverer.prototype, 'onApplicationBootstrap', (_start, used) => () => used());
}

function countNoAttempt(): void {
  override(
    StepRunner.prototype,
    'drive',
    (drive, used) =>
      async function (this: StepRunner, dataSource, held) {
        if (held.attempt === 1) return drive.call(this, dataSource, held);
        const { accountId, operationId, attempt } = held;
        await runSql(
          `UPDATE idempotency_records SET attempt = attempt - 1, parked_reason = NULL WHERE account_id = $1 AND operation_id = $2 AND attempt = $3`,
          [accountId, operationId, attempt],
        );
        used();
        return drive.call(this, dataSource, { ...held, attempt: attempt - 1 });
      },
  );
}

/** Nobody asks for the lock, and a record that is there already is written over. */
async function letBothWin(): Promise<void> {
  await letFinalChange();
  const overwritten = 'ON CONFLICT (account_id, key) DO UPDATE SET operation_id = excluded.operation_id RETURNING expires_at';
  replaceStatement(
    LOCK.name,
    `SELECT $1::bigint IS NOT NULL AS locked, date_trunc('milliseconds', clock_timestamp()) AS now, ${enterBy('$2')}`,
  );
  replaceStatement(INSERT_COMPLETED.name, `${COMPLETED} ${overwritten}`);
  replaceStatement(
    'idempotency-claim-completed',
    `${COMPLETED} WHERE ${enterBy('$1::uuid::text')} <> '' AND $14::bigint IS NOT NULL ${overwritten}`,
  );
}

/** The database itself refuses what these saboteurs write: it is told not to. */
async function letFinalChange(): Promise<void> {
  for (const table of ['idempotency_records', 'payments', 'refunds']) await runSql(`ALTER TABLE ${table} DISABLE TRIGGER ${table}_final`);
}
