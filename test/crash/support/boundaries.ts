import { Client } from 'pg';
import { eventually } from '../../support/eventually.js';
import type { DatabaseGate, DatabaseHold, Held } from './database-gate.js';
import type { ProviderGate } from './provider-gate.js';

/** One payment of the matrix, on its way through a replica. */
export interface Subject {
  key: string;
  /** uuid */
  orderUuid: string;
  /** No other order has it, so that its charge is known at the provider. */
  amount: number;
}

/** What a boundary is held with. */
export interface Gates {
  /** The database itself, past the gate. */
  databaseUrl: string;
  database: DatabaseGate;
  provider: ProviderGate;
}

/** A place on a payment's way where it can be held from outside. */
export interface Boundary {
  name: string;
  /** Whether the payment's record is there for good when it is held here; `maybe`: that is being decided. */
  committed: 'no' | 'maybe' | 'yes';
  /** Whether it is committed, and whoever holds it has something left to do. */
  unsettled: boolean;
  /** Arms the hold. `reached` resolves once the payment stands there, and tells how to let go of it. */
  arm(gates: Gates, subject: Subject): Promise<{ reached: Promise<Held> }>;
}

/** In the order in which a payment passes them. */
export const BOUNDARIES: Boundary[] = [
  { name: 'before the claim', committed: 'no', unsettled: false, arm: inFlight('idempotency-find', 'flight') },
  // It waits for the order with COMMIT on its way behind.
  { name: 'after the claim', committed: 'maybe', unsettled: false, arm: onLock(orderLock) },
  { name: 'inside the first commit', committed: 'maybe', unsettled: false, arm: onLock(commitLock('first')) },
  { name: 'after the first commit', committed: 'yes', unsettled: true, arm: inFlight('idempotency-insert-running', 'answer-to-commit') },
  { name: 'before the call', committed: 'yes', unsettled: true, arm: atProvider('before') },
  { name: 'charged, the answer lost', committed: 'yes', unsettled: true, arm: atProvider('after') },
  { name: 'after the answer', committed: 'yes', unsettled: true, arm: inFlight('idempotency-hold', 'flight') },
  { name: 'inside the settling commit', committed: 'yes', unsettled: false, arm: onLock(commitLock('settling')) },
  { name: 'after it, before the reply', committed: 'yes', unsettled: false, arm: inFlight('idempotency-complete', 'answer-to-commit') },
];

/**
 * Two triggers that make a COMMIT wait, inside it, for whoever holds the advisory lock of its record. They are deferred
 * constraint triggers, which is what PostgreSQL runs in COMMIT itself, before the commit is written.
 */
export const COMMIT_TRIGGERS = `
  CREATE FUNCTION crash_wait() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(TG_ARGV[0] || ' ' || NEW.key, 0));
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER crash_wait_first AFTER INSERT ON idempotency_records DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status = 'running') EXECUTE FUNCTION crash_wait('first');
  CREATE CONSTRAINT TRIGGER crash_wait_settling AFTER UPDATE ON idempotency_records DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status = 'running' AND NEW.status = 'completed') EXECUTE FUNCTION crash_wait('settling')`;

type Statement = [text: string, values: unknown[]];

function commitLock(commit: 'first' | 'settling'): (subject: Subject) => Statement {
  return ({ key }) => ['SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${commit} ${key}`]];
}

function orderLock({ orderUuid }: Subject): Statement {
  return ['SELECT FROM orders WHERE id = $1 FOR UPDATE', [orderUuid]];
}

function inFlight(statement: string, what: DatabaseHold['what']): Boundary['arm'] {
  return async ({ database }, { key }) => ({ reached: database.hold({ statement, value: key, what }) });
}

function atProvider(when: 'before' | 'after'): Boundary['arm'] {
  return async ({ provider }, { amount }) => ({ reached: provider.hold(amount, when) });
}

/** Holds a lock on a connection of the test's own until somebody waits for it. */
function onLock(statementFor: (subject: Subject) => Statement): Boundary['arm'] {
  return async ({ databaseUrl, database }, subject) => {
    const holder = new Client(databaseUrl);
    // The server that a test restarts cuts this connection too.
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('SET idle_in_transaction_session_timeout = 0');
    await holder.query('BEGIN');
    await holder.query(...statementFor(subject));
    database.watch(subject.key);
    const release = (): void => void holder.end().catch(() => undefined);
    const cut = (): void => {
      database.cut(subject.key);
      release();
    };
    return { reached: untilBlocking(holder).then(() => ({ release, cut })) };
  };
}

function untilBlocking(holder: Client): Promise<unknown> {
  const isWaitedFor = async (): Promise<boolean> => {
    // Not pg_stat_activity, of which a transaction sees one and the same snapshot.
    const { rowCount } = await holder.query('SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))');
    return rowCount !== 0;
  };
  // As long as a payment may take to its place (TIMES.timeout): eighteen come at once, and six of these questions are asked beside them.
  return eventually('a payment to wait for a lock', isWaitedFor, 20_000);
}
