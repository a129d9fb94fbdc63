/**
 * The members of a log line that tells of one piece of work, and of its being over: a request, a recovery, a delivery, an audit. They
 * have the same names in all of them, so that one search finds the whole story; what is not known is left out. `docs/production.md`
 * lists them, which a test checks.
 */
export interface LogFields {
  requestId?: string | undefined;
  accountId?: string | undefined;
  keyHash?: string | undefined;
  operationId?: string | undefined;
  step?: string | undefined;
  outcome: string;
  attempt?: number | undefined;
  reason?: string | undefined;
  ms: number;
}

/** Milliseconds with the tenth that is worth reading. */
export function inTenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
