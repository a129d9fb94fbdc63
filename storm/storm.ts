import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../src/kernel/progress.js';
import { Chaos } from './chaos.js';
import { check, type Violation } from './checker.js';
import { ObedientClient } from './client.js';
import { endLeases, isAllDelivered, makeEndpoints } from './endpoints.js';
import { accountOf, readFacts, readLedger, readProducts, type Facts, type PaymentRow } from './facts.js';
import { codeOf, hasPassed } from './key-rules.js';
import { CALM, type Injections, type Plan } from './plan.js';
import { Random } from './random.js';
import { Receiver } from './receiver.js';
import { Market, SCARCE, Worker } from './workload.js';
import { World, type Keeper, type Scripts } from './world.js';

/** A storm as it ended. */
export interface Outcome {
  violations: Violation[];
  injections: Injections;
  /** Injections that the plan asked more of. */
  tooFew: string[];
  /** How many operations ended how: the status of the final answer, or `vanished`, `gave-up`, `stuck`. */
  ends: Record<string, number>;
  replays: number;
  seconds: number;
}

/** What a storm tells while it lasts. */
export const STEPS = 5;

/** How often the operations are counted, in milliseconds. */
const COUNTED = 500;

/** Lets clients work while everything around them breaks, waits until all is at rest, and looks at what is there. */
export async function runStorm(plan: Plan, server: Keeper, scripts: Scripts, progress?: Progress): Promise<Outcome> {
  const startedAt = performance.now();
  progress?.step('the replicas and the provider start');
  const world = await World.start(server, scripts, plan.env);
  const receiver = await Receiver.start(new Random(plan.seed * 999), plan.receiver);
  try {
    const accountId = await accountOf(world);
    const scarce = [accountId, SCARCE];
    await world.query(
      `INSERT INTO products (account_id, id, name, unit_price, currency, stock) VALUES ($1, $2, 'Runs out', 700, 'EUR', 40)`,
      scarce,
    );
    await world.query('INSERT INTO stock_changes (account_id, id, product_id, change) VALUES ($1, gen_random_uuid(), $2, 40)', scarce);
    const products = await readProducts(world, accountId);
    const owner = new ObedientClient(world.replicas, new Random(plan.seed), plan.stuckAfter);
    await makeEndpoints(owner, receiver);
    const market = new Market();
    const chaos = new Chaos(world, new Random(plan.seed), plan, () => market.finished);
    const clients = Array.from({ length: plan.clients }, (_, n) => {
      const random = new Random(plan.seed * 1_000 + n);
      const client = new ObedientClient(world.replicas, random, plan.stuckAfter);
      return { client, worker: new Worker(client, market, random, plan, () => chaos.hasDoneItsPart) };
    });

    progress?.step('the storm');
    const counting = setInterval(() => progress?.count(market.finished, plan.operations, 'operations'), COUNTED);
    await chaos.start();
    await Promise.all(clients.map(({ worker }) => worker.work())).finally(() => clearInterval(counting));
    progress?.step('what is unfinished comes to rest');
    await chaos.stop();
    await world.setFaults(CALM);
    receiver.calm(plan.least.repeatedWebhooks);
    await endLeases(world);
    await untilAtRest(world, accountId, plan.restWithin);
    progress?.step('everything is sent once more');
    const replays = await repeatEverything(clients.map(({ client }) => client));

    progress?.step('the books are compared');
    const operations = [owner, ...clients.map(({ client }) => client)].flatMap((client) => client.operations);
    const seals = clients.flatMap(({ client }) => client.seals);
    const facts = await readFacts(world, accountId, products, { operations, seals, receipts: receiver.receipts });
    const clientRetries = clients.reduce((sum, { client }) => sum + client.retries, 0);
    const injections = { ...chaos.done, ...countsOf(facts), clientRetries };
    return {
      violations: check(facts),
      injections,
      tooFew: tooFew(injections, plan.least),
      ends: endsOf(facts),
      replays,
      seconds: (performance.now() - startedAt) / 1_000,
    };
  } finally {
    await world.close();
    await receiver.close();
  }
}

/** Waits until no operation is unfinished but those whose provider refuses for ever; what is left after that time is a violation. */
async function untilAtRest(world: World, accountId: string, within: number): Promise<void> {
  for (const deadline = performance.now() + within; performance.now() < deadline; await sleep(100)) {
    const [left] = await world.query(
      `SELECT FROM idempotency_records r WHERE account_id = $1 AND status = 'running'
          AND NOT EXISTS (SELECT FROM payments p WHERE p.account_id = r.account_id AND p.operation_id = r.operation_id AND p.source = 'tok_unavailable')`,
      [accountId],
    );
    if (!left && (await isAllDelivered(world)) && (await isAllGivenBack(world, accountId))) return;
  }
}

/**
 * Whether the provider has nothing of payments that came too late. What a runner sent that had slept past the deadline is found by a look
 * a minute later; here that look is due at once.
 */
async function isAllGivenBack(world: World, accountId: string): Promise<boolean> {
  const late = await world.query<PaymentRow>(
    `SELECT id, reference, failure_code FROM payments WHERE account_id = $1 AND failure_code = 'deadline_passed'`,
    [accountId],
  );
  if (late.length === 0) return true;
  const { charges, refunds } = await readLedger(world);
  const refunded = new Set(refunds.map(({ chargeId }) => chargeId));
  const left = late.filter(({ reference }) => charges.some((charge) => charge.reference === reference && !refunded.has(charge.id)));
  await world.query(
    `UPDATE payments SET check_at = now() WHERE account_id = $1 AND id = ANY ($2) AND check_at > now() + interval '1 second'`,
    [accountId, left.map(({ id }) => id)],
  );
  return left.length === 0;
}

/** Every operation with a final answer is sent once more: the answer must be the same, also from a replica that didn't give it. */
async function repeatEverything(clients: ObedientClient[]): Promise<number> {
  const counts = await Promise.all(
    clients.map(async (client) => {
      const final = client.operations.filter(({ end }) => end === 'final');
      for (const operation of final) await client.repeat(operation);
      return final.length;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function countsOf({ ledger, seals, payments, operations, receipts }: Facts) {
  return {
    repeatedProviderCalls: ledger.requests.length - new Set(ledger.requests.map(({ key }) => key)).size,
    sealedKeys: seals.filter(({ state }) => state === 'sealed').length,
    passedDeadlines: payments.filter(hasPassed).length,
    possibleDuplicates: operations.filter(({ answers: [told] }) => told && codeOf(told) === 'possible-duplicate').length,
    repeatedWebhooks: receipts.length - new Set(receipts.map(({ path, id }) => `${path} ${id}`)).size,
  };
}

function tooFew(injections: Injections, least: Injections): string[] {
  return (Object.keys(least) as (keyof Injections)[])
    .filter((name) => injections[name] < least[name])
    .map((name) => `${name}: ${injections[name]}, at least ${least[name]} were wanted`);
}

function endsOf({ operations }: Facts): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const { end, answers } of operations) {
    const name = end === 'final' ? String(answers[0]?.status) : end;
    ends[name] = (ends[name] ?? 0) + 1;
  }
  return ends;
}
