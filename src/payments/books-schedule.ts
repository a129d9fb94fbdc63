/** The first look again comes after so long, in milliseconds, and none sooner than that after another. */
const SOONEST_MS = 3_600_000;
/** The last pauses, in seconds: thirty days. */
const LONGEST_S = 30 * 86_400;
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

/**
 * After as long again as it is old, an hour at least and thirty days at most, for half a year, or until a person has it; from then
 * on whenever there is news. Not over news that came meanwhile.
 */
const nextCheck = (table: string): string => `
  UPDATE ${table}
     SET check_at = CASE WHEN $4 OR now() - created_at > interval '180 days' THEN 'infinity'
                         -- In seconds: adding an interval depends on the time zone, which an UPDATE of a distributed table must not.
                         ELSE to_timestamp(extract(epoch FROM now())::float8
                                           + greatest(${SOONEST_MS / 1000}, least(extract(epoch FROM now() - created_at)::float8, ${LONGEST_S}))) END
   WHERE account_id = $1 AND id = $2 AND check_at = $3::timestamptz`;

/** Sets when something of each kind is looked at again. */
export const NEXT_CHECK = { payments: nextCheck('payments'), refunds: nextCheck('refunds') };
