import { randomBytes } from 'node:crypto';

/** Random bytes come from the system in portions: a call for each id takes longer than all the rest of making it. */
const PORTION = 4_096;
let random = Buffer.alloc(0);

/** A fresh UUIDv7 (RFC 9562, section 5.7) for an operation. */
export function newOperationId(): string {
  if (random.length === 0) random = randomBytes(PORTION);
  const id = random.subarray(0, 16);
  random = random.subarray(16);
  id.writeUIntBE(Date.now(), 0, 6);
  id.writeUInt8(0x70 | (id.readUInt8(6) & 0x0f), 6);
  id.writeUInt8(0x80 | (id.readUInt8(8) & 0x3f), 8);
  return dashed(id.toString('hex'));
}

/** The digits of TypeIDs (Crockford's base 32), where ECMAScript has 0 to 9 and a to v. */
const TYPEID_DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TYPEID = /^op_([0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** The public form (`op_…`, a TypeID) of an operation's uuid. @throws SyntaxError when it is no uuid */
export function publicOperationId(uuid: string): string {
  const digits = BigInt(`0x${uuid.replaceAll('-', '')}`)
    .toString(32)
    .padStart(26, '0');
  let id = 'op_';
  for (const digit of digits) id += TYPEID_DIGITS[Number.parseInt(digit, 32)];
  return id;
}

/** The uuid behind `op_…`, or null when the text is no such id. */
export function operationUuid(text: string): string | null {
  const [, suffix] = TYPEID.exec(text) ?? [];
  if (suffix === undefined) return null;
  let value = 0n;
  for (const digit of suffix) value = (value << 5n) | BigInt(TYPEID_DIGITS.indexOf(digit));
  return dashed(value.toString(16).padStart(32, '0'));
}

function dashed(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
