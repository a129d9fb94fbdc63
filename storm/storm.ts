import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../src/kernel/progress.js';
import { Chaos } from './chaos.js';
import { check, type Violation } from './checker.js';
import { ObedientClient } from './client.js';
import { accountOf, readFacts, readStock, type Facts } from './facts.js';
import { CALM, type Injections, type Plan } from './plan.js';
import { Random } from './random.js';
import { Market, SCARCE, Worker } from './workload.js';
import { World, type Scripts, type Server } from './world.js';

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
export async function runStorm(plan: Plan, server: Server, scripts: Scripts, progress?: Progress): Promise<Outcome> {
  const startedAt = performance.now();
  progress?.step('two replicas and the provider start');
  const world = await World.start(server, scripts, plan.env);
  try {
    const accountId = await accountOf(world);
    await world.query(
      `WITH made AS (INSERT INTO products (account_id, id, name, unit_price, currency, stock) VALUES ($1, $2, 'Runs out', 700, 'EUR', 40))
       INSERT INTO stock_changes (account_id, id, product_id, change) VALUES ($1, gen_random_uuid(), $2, 40)`,
      [accountId, SCARCE],
    );
    const stock = await readStock(world, accountId);
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
    await untilAtRest(world, accountId, plan.restWithin);
    progress?.step('everything is sent once more');
    const replays = await repeatEverything(clients.map(({ client }) => client));

    progress?.step('the books are compared');
    const operations = clients.flatMap(({ client }) => client.operations);
    const facts = await readFacts(world, accountId, stock, operations);
    const clientRetries = clients.reduce((sum, { client }) => sum + client.retries, 0);
    const injections = { ...chaos.done, repeatedProviderCalls: repeatedCalls(facts), clientRetries };
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
    if (!left) return;
  }
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

function repeatedCalls({ ledger }: Facts): number {
  return ledger.requests.length - new Set(ledger.requests.map(({ key }) => key)).size;
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
