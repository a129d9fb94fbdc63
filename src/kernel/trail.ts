import { Logger } from '@nestjs/common';

/** How an act is written. */
interface Declaration {
  level: 'info' | 'warn';
  /** Its members in the log line; one that is not known is left out. */
  fields: readonly string[];
}

/**
 * The acts of the audit trail: who used a key, who was refused, and who changed keys or had an operation go on. The one list of
 * them; `docs/production.md` is checked against it by a test. No field ever holds a secret or an idempotency key.
 */
export const ACTS = {
  'authentication.succeeded': { level: 'info', fields: ['accountId', 'keyId', 'address'] },
  'authentication.failed': { level: 'warn', fields: ['address', 'keyId', 'reason'] },
  'authentication.failures-counted': { level: 'warn', fields: ['address', 'failures'] },
  'scope.refused': { level: 'warn', fields: ['accountId', 'keyId', 'address', 'scope', 'requestId'] },
  'account.created': { level: 'info', fields: ['actor', 'accountId'] },
  'key.created': { level: 'info', fields: ['actor', 'accountId', 'keyId', 'scopes'] },
  'key.rotated': { level: 'info', fields: ['actor', 'accountId', 'keyId', 'successorId', 'overlapMs'] },
  'key.revoked': { level: 'info', fields: ['actor', 'accountId', 'keyId'] },
  'operation.resumed': { level: 'info', fields: ['accountId', 'keyId', 'address', 'operationId', 'requestId'] },
  'key.sealed': { level: 'info', fields: ['accountId', 'keyId', 'address', 'requestId'] },
  'review.decided': { level: 'info', fields: ['actor', 'accountId', 'operationId', 'outcome'] },
  'gate.changed': { level: 'warn', fields: ['actor', 'state'] },
  'restore.decided': { level: 'warn', fields: ['actor', 'accountId', 'chargeId', 'outcome'] },
  'webhook-endpoint.disabled': { level: 'warn', fields: ['accountId', 'endpointId', 'reason'] },
} as const satisfies Record<string, Declaration>;

type Acts = typeof ACTS;
type Value = string | number | readonly string[] | undefined;

/** What belongs to an act: its fields, no more and no fewer. */
type FieldsOf<Act extends keyof Acts> = Record<Acts[Act]['fields'][number], Value>;

const log = new Logger('Trail');

/** Writes that somebody did something, after it was done: a line of the log with `context: "Trail"` and `act`. */
export function writeAct<Act extends keyof Acts>(act: Act, fields: FieldsOf<Act>): void {
  const line = { act, ...fields };
  if (ACTS[act].level === 'warn') log.warn(line);
  else log.log(line);
}
