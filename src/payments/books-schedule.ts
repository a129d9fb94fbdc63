/** The first look again comes after so long, in milliseconds, and none sooner than that after another. */
const SOONEST_MS = 3_600_000;
/** The last pauses, and for how long there is a next one. */
const LONGEST_MS = 30 * 86_400_000;
const LOOKED_FOR_MS = 180 * 86_400_000;
/** A charge that the provider did not know may have been under way still. */
const SOON_MS = 60_000;

/** When something that just succeeded is looked at again; null where the provider's books don't change. */
export function firstCheck(now: Date, mayChange: true | undefined): Date | null {
  return mayChange ? new Date(now.getTime() + SOONEST_MS) : null;
}

/** When the provider is asked first for a charge that it did not know. */
export function soonCheck(now: Date): Date {
  return new Date(now.getTime() + SOON_MS);
}

/** When something was taken to be looked at again, and when it was made. */
export interface Looked {
  taken_at: Date;
  created_at: Date;
}

/**
 * When the next look at it is: after as long again as it is old, an hour at least and thirty days at most, for half a year, or until a person
 * has it; from then on whenever there is news.
 */
export function nextCheck({ taken_at: now, created_at: made }: Looked, hasPerson: boolean): Date | 'infinity' {
  const age = now.getTime() - made.getTime();
  if (hasPerson || age > LOOKED_FOR_MS) return 'infinity';
  return new Date(now.getTime() + Math.max(SOONEST_MS, Math.min(age, LONGEST_MS)));
}
