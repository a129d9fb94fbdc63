import { hash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Set apart from other hashes of the same text. */
const NAMESPACE = 'holdfast account';

/**
 * The uuid under which the tables know an account. A uuid stays what it is, in the one spelling that PostgreSQL gives back: the
 * provider's key is a hash of it, and has to be the same for a retry that read the account from the record. Any other text becomes
 * a UUIDv8 of its SHA-256 (RFC 9562, section 5.8), which is the same for the same text.
 * @throws Error for an empty text and for what is none, which is a mistake of the application
 */
export function accountUuid(account: string): string {
  if (typeof account !== 'string' || account.trim() === '')
    throw new Error(
      `an idempotent request needs an account as a text that isn't empty, and got ${typeof account} ${JSON.stringify(account) ?? ''}`,
    );
  if (UUID.test(account)) return account.toLowerCase();
  const bytes = hash('sha256', `${NAMESPACE}\0${account}`, 'buffer').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const digits = bytes.toString('hex');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}
