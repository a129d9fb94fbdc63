import { TypeID } from 'typeid-js';
import { v7 as uuidv7 } from 'uuid';

/** Kinds of things with a public id. */
export type IdPrefix = 'acct' | 'ord' | 'tkt' | 'pay' | 're' | 'evt' | 'we' | 'dlv';

/** A fresh UUIDv7 (RFC 9562): ids made one after the other sort that way, which keeps indexes compact and lists in order. */
export function newId(): string {
  return uuidv7();
}

/** The public form of a uuid, for example `ord_01h455vb4pex5vsknk084sn02q` (a TypeID). */
export function publicId(prefix: IdPrefix, uuid: string): string {
  return TypeID.fromUUID(prefix, uuid).toString();
}

/** The uuid behind a public id, or null when the text isn't one of this kind. */
export function uuidOf(prefix: IdPrefix, text: string): string | null {
  try {
    const uuid = TypeID.fromString(text, prefix).toUUID();
    return publicId(prefix, uuid) === text ? uuid : null;
  } catch {
    return null;
  }
}
