import { randomBytes } from 'node:crypto';
import { TypeID } from 'typeid-js';
import { v7 as uuidv7 } from 'uuid';

/** Random bytes come from the system in portions: a call for each id takes longer than all the rest of making it. */
const PORTION = 4_096;
let random = Buffer.alloc(0);

/** A fresh UUIDv7 for an operation. */
export function newOperationId(): string {
  if (random.length === 0) random = randomBytes(PORTION);
  const id = uuidv7({ random: random.subarray(0, 16) });
  random = random.subarray(16);
  return id;
}

/** The public form (`op_…`, a TypeID) of an operation's uuid. */
export function publicOperationId(uuid: string): string {
  return TypeID.fromUUID('op', uuid).toString();
}

/** The uuid behind `op_…`, or null when the text is no such id. */
export function operationUuid(text: string): string | null {
  try {
    const uuid = TypeID.fromString(text, 'op').toUUID();
    return publicOperationId(uuid) === text ? uuid : null;
  } catch {
    return null;
  }
}
