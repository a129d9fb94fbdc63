import type { StepRun } from '../../idempotency/index.js';
import { LOOK_UP_SHARE } from './guarded-provider.js';
import type { Found, Outcome } from './provider.js';

/** Part of a provider's key window that is not relied on: clocks differ, and a call takes time. */
const WINDOW_MARGIN = 0.9;
/** From this attempt on, a provider that never gives an answer under the key is asked by reference as well. */
export const DOUBTFUL_ATTEMPT = 3;

const HOUR = 3_600_000;
/** What the provider has taken and not decided may take days at a bank: it is read again after half of its age, and at the latest after so long. */
const LONGEST_PAUSE = 6 * HOUR;
/** Older than this it should be decided. */
const PATIENCE = 72 * HOUR;

/** What the provider knows a charge or refund by; it derives from the client's key, so it is the same after a restore. */
export function referenceOf(providerKey: string): string {
  return `hf_${providerKey.slice(0, 40)}`;
}

/** The ways to ask for one effect. */
export interface Ways {
  /** Whether the provider has named an id for it: then `find` reads by that. */
  known: boolean;
  send: (share: number) => Promise<Outcome>;
  /** @throws Error when the provider can't be asked */
  find: () => Promise<Found>;
}

/**
 * Asks the provider once more for the same effect, so that it happens at most once. While the provider knows the key,
 * sending again under it is safe. When its window may have passed, or it answers nothing but errors under the key, it is
 * asked by reference before anything is sent; while it can't answer that, nothing is sent and nothing is concluded.
 * What it has named an id for is read once, and never sent again.
 */
export async function ask(run: StepRun, keyWindowMs: number, ways: Ways): Promise<Outcome> {
  if (ways.known) return patiently(run, await read(ways));
  const outcome = await lookAndSend(run, keyWindowMs, ways);
  return outcome.kind === 'pending' ? patiently(run, outcome) : outcome;
}

async function lookAndSend(run: StepRun, keyWindowMs: number, { send, find }: Ways): Promise<Outcome> {
  const keyMayBeForgotten = run.ageMs > keyWindowMs * WINDOW_MARGIN;
  const lookFirst = keyMayBeForgotten || run.attempt >= DOUBTFUL_ATTEMPT;
  if (lookFirst) {
    try {
      const found = await find();
      if (found) return found;
    } catch (error) {
      if (keyMayBeForgotten) {
        return { kind: 'unknown', reason: wordsFor(error), review: 'the provider may have forgotten the key and cannot be asked' };
      }
    }
  }
  const outcome = await send(lookFirst ? 1 - LOOK_UP_SHARE : 1);
  if (outcome.kind === 'unknown' && outcome.otherParameters && !lookFirst) {
    // Sending it again would be answered the same. A look sends nothing, so it may outlive the lease; where it finds nothing, nothing is concluded.
    const found = await find().catch(() => null);
    if (found) return found;
  }
  if ((outcome.kind === 'unknown' || outcome.kind === 'not-reached') && run.attempt >= DOUBTFUL_ATTEMPT) {
    return { review: `no answer after ${run.attempt} attempts: ${outcome.reason}`, ...outcome };
  }
  return outcome;
}

async function read({ find }: Ways): Promise<Outcome> {
  try {
    return (await find()) ?? { kind: 'unknown', reason: 'the provider does not find what it has named' };
  } catch (error) {
    return { kind: 'unknown', reason: wordsFor(error) };
  }
}

/** Seldom, and for a person once it has taken days. */
function patiently({ ageMs }: StepRun, outcome: Outcome): Outcome {
  if (outcome.kind === 'succeeded' || outcome.kind === 'declined') return outcome;
  const review =
    ageMs > PATIENCE ? { review: `undecided at the provider for ${Math.floor(ageMs / HOUR / 24)} days: ${outcome.reason}` } : {};
  return { againMs: Math.min(ageMs / 2, LONGEST_PAUSE), ...review, ...outcome };
}

function wordsFor(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
