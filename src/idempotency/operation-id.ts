import { randomBytes } from 'node:crypto';

/** Random bytes come from the system in portions: a call for each id takes longer than all the rest of making it. */
const PORTION = 4_096;
const BYTES = 16;
let random = Buffer.alloc(0);
let used = 0;

/** A fresh UUIDv7 (RFC 9562, section 5.7) for an operation. */
export function newOperationId(): string {
  if (used === random.length) [random, used] = [randomBytes(PORTION), 0];
  random.writeUIntBE(Date.now(), used, 6);
  random.writeUInt8(0x70 | (random.readUInt8(used + 6) & 0x0f), used + 6);
  random.writeUInt8(0x80 | (random.readUInt8(used + 8) & 0x3f), used + 8);
  const hex = random.toString('hex', used, used + BYTES);
  used += BYTES;
  return dashed(hex);
}

/** The digits of TypeIDs (Crockford's base 32), where ECMAScript has 0 to 9 and a to v. */
const TYPEID_DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const DASH = 0x2d;
const TYPEID = /^op_([0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** The public form (`op_…`, a TypeID) of an operation's uuid. @throws SyntaxError when it is no uuid */
export function publicOperationId(uuid: string): string {
  if (!UUID.test(uuid)) throw new SyntaxError(`no uuid: ${uuid}`);
  let id = 'op_';
  // Two bits in front make 26 digits of 130. Without a BigInt, which takes two to three times as long, several times a request.
  let [bits, count] = [0, 2];
  for (let at = 0; at < uuid.length; at += 1) {
    const code = uuid.charCodeAt(at);
    if (code === DASH) continue;
    // 0 to 9 stand at 0x30, a to f at 0x61 and A to F at 0x41.
    bits = (bits << 4) | (code < 0x40 ? code & 0xf : (code & 0xf) + 9);
    count += 4;
    if (count < 5) continue;
    count -= 5;
    id += TYPEID_DIGITS[bits >> count];
    bits &= (1 << count) - 1;
  }
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
