import { randomBytes } from 'node:crypto';
import { dashed, typeId, uuidOfTypeId } from './type-id.js';

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

/** The public form (`op_…`, a TypeID) of an operation's uuid. @throws SyntaxError when it is no uuid */
export function publicOperationId(uuid: string): string {
  return typeId('op', uuid);
}

/** The uuid behind `op_…`, or null when the text is no such id. */
export function operationUuid(text: string): string | null {
  return uuidOfTypeId('op', text);
}
