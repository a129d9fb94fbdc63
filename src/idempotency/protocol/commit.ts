import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { ClaimLost, type OpeningCheck } from '../postgres/opening-check.js';
import { commitsHang, REMOTE_APPLY } from '../postgres/commits.js';
import { isDistributed } from '../postgres/distribution.js';
import { PostgresTransaction } from '../postgres/postgres-transaction.js';
import type { Call, Result } from '../postgres/statement.js';
import { CommitUnconfirmed, confirmCommit, type Confirmation } from './confirm.js';
import { decide, type Committable, type Deciding, type Work } from './decision.js';

/** Who wants to commit: a request with its key, or the holder of an operation. */
export interface Party<Found> extends Deciding {
  readonly check: OpeningCheck<Found>;
  /** Behind which a refusal is committed, after the work was undone; the other check where it is none of its own. */
  readonly refusalCheck?: OpeningCheck<Found>;
  readonly work: Work;
  /** Its commits wait until standbys have applied them. */
  readonly remoteApply: boolean;
  /** What makes the decision so, behind the work and before COMMIT; the last one's result is the commit's. @throws Error for a decision that isn't this party's to make */
  callsFor(decision: Committable, found: Found): Call[];
  /** The same for the whole transaction in one packet, in front of the work; undefined where that can't be. */
  callsAtOnce?(decision: Committable): Call[] | undefined;
  /** Whether the error says that somebody else's row was there first. */
  isLostRace?(error: unknown): boolean;
  /** What became of a COMMIT without an answer. */
  lookAfter(dataSource: DataSource, decision: Committable): Promise<Confirmation<Found>>;
}

/** How often the work may run, and when once more. */
export interface Way {
  /** The work may run before the claim is known, on what it read some time ago; what fails then decides nothing. */
  optimistic: boolean;
  runs: number;
  /** Whether everything was surely rolled back for a reason that may have passed. */
  mayRunAgain(error: unknown): boolean;
  /** Longest pause after the given run, in milliseconds. */
  pauseMs(run: number): number;
}

/** How it ended. The connection was given back by then. */
export type End<Found> =
  /** `result`: of the last statement, or of the first where all left at once; none where the commit was confirmed by a look. */
  | { kind: 'committed'; decision: Committable; result: Result | undefined }
  /** It is somebody else's, or was committed before: what the check found. */
  | { kind: 'lost'; found: Found }
  /** Nothing was committed. `opened`: the check had been won. */
  | { kind: 'abandoned'; error: unknown; opened: boolean }
  /** An optimistic try that decided nothing. */
  | { kind: 'undecided' };

/** One transaction may also end in another decision, to be committed by the next one, or in the wish to run again. */
type Pass<Found> =
  Exclude<End<Found>, { kind: 'undecided' }> | { kind: 'replaced'; decision: Committable } | { kind: 'again'; error: unknown };

/** An error that may be an answer. */
interface Thrown {
  kind: 'thrown';
  error: unknown;
}

/**
 * The one protocol of every transaction that commits something under a key: open behind a check, decide, commit, confirm.
 * Never rejects for what the work or the database did.
 */
export async function commitDecision<Found>(dataSource: DataSource, party: Party<Found>, way: Way): Promise<End<Found>> {
  let decided: Committable | undefined;
  for (let run = 1; ;) {
    const check = (decided && party.refusalCheck) ?? party.check;
    const tx = new PostgresTransaction(dataSource, check, party.identity.owner, way.optimistic && !decided);
    let ended: Pass<Found> | Thrown;
    try {
      ended = await onePass(tx, party, way, decided);
    } finally {
      await tx.release();
    }
    const pass = ended.kind === 'thrown' ? await rendered(tx, party, way, ended.error) : ended;
    if (pass.kind === 'replaced') decided = pass.decision;
    else if (pass.kind !== 'again') return pass;
    else if (way.optimistic) return { kind: 'undecided' };
    else if (run === way.runs) return { kind: 'abandoned', error: pass.error, opened: true };
    else {
      await sleep(Math.random() * way.pauseMs(run));
      run += 1;
    }
  }
}

async function onePass<Found>(
  tx: PostgresTransaction<Found>,
  party: Party<Found>,
  way: Way,
  decided: Committable | undefined,
): Promise<Pass<Found> | Thrown> {
  const decision = decided ?? (await decide(tx, party.work, party));
  // A lost claim has its answer in the record, whatever the work made of it.
  if (tx.found?.won === false) return { kind: 'lost', found: tx.found.found };
  try {
    switch (decision.kind) {
      case 'abandon':
        return failed(tx, way, decision.error);
      case 'throw':
        return { kind: 'thrown', error: decision.error };
      default:
        return await commitWork(tx, party, way, decision);
    }
  } catch (error) {
    if (error instanceof ClaimLost && tx.found) return { kind: 'lost', found: tx.found.found };
    // The work didn't look, or didn't heed it.
    if (error === tx.found?.refusal && error) return { kind: 'thrown', error };
    return failed(tx, way, error);
  }
}

async function commitWork<Found>(
  tx: PostgresTransaction<Found>,
  party: Party<Found>,
  way: Way,
  decision: Committable,
): Promise<Pass<Found> | Thrown> {
  // Without BEGIN a packet is one transaction on one server only.
  const mayLeaveAtOnce = tx.isUntouched && way.optimistic && !isDistributed(tx.dataSource);
  const atOnce = mayLeaveAtOnce ? party.callsAtOnce?.(decision) : undefined;
  const durable = party.remoteApply ? [REMOTE_APPLY] : [];
  const commit = atOnce
    ? await tx.commitAtOnce([...atOnce, ...durable])
    : await tx.commit([...durable, ...party.callsFor(decision, (await tx.begin()).found)]);
  // Before anything else is asked of the database: with every connection taken, a second one would never come.
  await tx.release();
  if (commit.kind === 'committed') return { kind: 'committed', decision, result: commit.result };
  if (commit.kind === 'unknown') return confirmed(tx, party, way, decision, commit.error);
  if (atOnce) return { kind: 'again', error: commit.error };
  if (party.isLostRace?.(commit.error)) return confirmed(tx, party, way, decision, commit.error);
  const meaning = tx.violations.meaningOf(commit.error);
  if (meaning === commit.error || tx.usedCached) return failed(tx, way, commit.error);
  return { kind: 'thrown', error: meaning };
}

const HANGING = { kind: 'unknown' } as const;

/** The answer of COMMIT was lost, or another one's row was there first: what the database says now is what happened. */
async function confirmed<Found>(
  tx: PostgresTransaction<Found>,
  party: Party<Found>,
  way: Way,
  decision: Committable,
  cause: unknown,
): Promise<Pass<Found>> {
  // While it hangs it is not to be seen: each look would say that it may still be committing.
  const confirmation = commitsHang(tx.dataSource) ? HANGING : await confirmCommit(() => party.lookAfter(tx.dataSource, decision));
  if (confirmation.kind === 'lost') return confirmation;
  if (confirmation.kind === 'committed') return { kind: 'committed', decision, result: undefined };
  const error = new CommitUnconfirmed(cause);
  return way.mayRunAgain(error) ? { kind: 'again', error } : { kind: 'abandoned', error, opened: true };
}

/** What an error comes to, its work undone and the connection given back, since exception filters may want one: a refusal that is stored, or nothing. */
async function rendered<Found>(tx: PostgresTransaction<Found>, party: Party<Found>, way: Way, error: unknown): Promise<Pass<Found>> {
  if (tx.usedCached) return failed(tx, way, error);
  const { identity, traceId } = party;
  try {
    const response = await party.render(error, { operationId: identity.operationId, traceId });
    return response === 'not-final'
      ? failed(tx, way, error)
      : { kind: 'replaced', decision: { kind: 'store', response, resource: undefined } };
  } catch (failure) {
    return failed(tx, way, failure);
  }
}

function failed<Found>(tx: PostgresTransaction<Found>, way: Way, error: unknown): Pass<Found> {
  if (tx.usedCached || way.mayRunAgain(error)) return { kind: 'again', error };
  return { kind: 'abandoned', error, opened: tx.found?.won === true };
}
