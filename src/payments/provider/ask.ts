import type { StepRun } from '../../idempotency/index.js';
import { LOOK_UP_SHARE } from './guarded-provider.js';
import type { Found, Outcome } from './provider.js';

/** Part of a provider's key window that is not relied on: clocks differ, and a call takes time. */
const WINDOW_MARGIN = 0.9;
/** From this attempt on, a provider that never gives an answer under the key is asked by reference as well. */
const DOUBTFUL_ATTEMPT = 3;

/** What is known after asking; `review` asks for a person's look. */
export type DoubtfulOutcome = Outcome & { review?: string };

/** What the provider knows a charge or refund by; it derives from the client's key, so it is the same after a restore. */
export function referenceOf(providerKey: string): string {
  return `hf_${providerKey.slice(0, 40)}`;
}

/**
 * Asks the provider once more for the same effect, so that it happens at most once. While the provider knows the key,
 * sending again under it is safe. When its window may have passed, or it answers nothing but errors under the key, it is
 * asked by reference before anything is sent; while it can't answer that, nothing is sent and nothing is concluded.
 */
export async function ask(
  run: StepRun,
  keyWindowMs: number,
  { send, find }: { send: (share: number) => Promise<Outcome>; find: () => Promise<Found> },
): Promise<DoubtfulOutcome> {
  const keyMayBeForgotten = run.ageMs > keyWindowMs * WINDOW_MARGIN;
  const lookFirst = keyMayBeForgotten || run.attempt >= DOUBTFUL_ATTEMPT;
  if (lookFirst) {
    try {
      const found = await find();
      if (found) return found;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (keyMayBeForgotten) return { kind: 'unknown', reason, review: 'the provider may have forgotten the key and cannot be asked' };
    }
  }
  const outcome = await send(lookFirst ? 1 - LOOK_UP_SHARE : 1);
  if ((outcome.kind === 'unknown' || outcome.kind === 'not-reached') && run.attempt >= DOUBTFUL_ATTEMPT) {
    return { ...outcome, review: `no answer after ${run.attempt} attempts: ${outcome.reason}` };
  }
  return outcome;
}
