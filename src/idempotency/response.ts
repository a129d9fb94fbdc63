import { publicOperationId } from './operation-id.js';
import type { Reply } from './step.js';

/** A response as it is stored and sent: a replay is the UTF-8 bytes of this text. */
export interface StoredResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Largest stored response; the table's CHECK says the same. */
const MAX_BYTES = 2 * 1024 * 1024;

/** A reply as text. @throws Error when it is larger than can be stored */
export function toResponse({ status, body, headers }: Reply, operationUuid: string): StoredResponse {
  const text = body === undefined ? '' : JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) throw new Error(`a response of ${bytes} bytes is too large to store`);
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers, 'operation-id': publicOperationId(operationUuid) },
    body: text,
  };
}
