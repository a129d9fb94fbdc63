import { v7 as uuidv7 } from 'uuid';
import { typeId, uuidOfTypeId } from '../idempotency/index.js';

/** Kinds of things with a public id. */
export type IdPrefix = 'acct' | 'ord' | 'tkt' | 'pay' | 're' | 'evt' | 'we' | 'dlv';

/** A fresh UUIDv7 (RFC 9562): ids made one after the other sort that way, which keeps indexes compact and lists in order. */
export function newId(): string {
  return uuidv7();
}

/** The public form of a uuid, for example `ord_01h455vb4pex5vsknk084sn02q` (a TypeID). @throws SyntaxError when it is no uuid */
export function publicId(prefix: IdPrefix, uuid: string): string {
  return typeId(prefix, uuid);
}

/** The uuid behind a public id, or null when the text isn't one of this kind. */
export function uuidOf(prefix: IdPrefix, text: string): string | null {
  return uuidOfTypeId(prefix, text);
}
