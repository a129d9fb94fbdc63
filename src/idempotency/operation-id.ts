import { TypeID } from 'typeid-js';

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
