import type { Outcome } from './outcome.js';

/** An intent of the queue, as it stands. */
export interface QueueEntry {
  readonly key: string;
  readonly lane: string;
  readonly method: string;
  readonly path: string;
  /** When it was made, in milliseconds since 1970. */
  readonly madeAt: number;
  /**
   * `waiting`: for those before it, for the connection, or for its next attempt. `done`, `refused`: its end, kept until it is
   * forgotten. `stuck`: it needs somebody, see the outcome's advice; its lane waits behind it for `wake` or `forget`.
   */
  readonly state: 'waiting' | 'sending' | 'done' | 'refused' | 'stuck';
  /** What is known of it, where something is. */
  readonly outcome: Outcome | undefined;
}

/** The queue as it stands: another object after each change, the same one between two. */
export interface QueueSnapshot {
  readonly running: boolean;
  /** What the platform says of the network; true where it says nothing. */
  readonly online: boolean;
  /** In the order in which they were made. */
  readonly entries: readonly QueueEntry[];
}

/** The first of each lane that has no end yet, in entries that are in their order. */
export function headsOf(entries: readonly QueueEntry[]): QueueEntry[] {
  const heads = new Map<string, QueueEntry>();
  for (const entry of entries) if (!hasEnded(entry) && !heads.has(entry.lane)) heads.set(entry.lane, entry);
  return [...heads.values()];
}

function hasEnded({ state }: QueueEntry): boolean {
  return state === 'done' || state === 'refused';
}

/** Whether another attempt alone leads nowhere. */
export function needsSomebody(outcome: Outcome): boolean {
  if (outcome.kind === 'unknown') return outcome.next === 'look-up' || outcome.reason === 'unauthorized';
  return outcome.kind === 'refused' && outcome.resendable;
}
