import { publicOperationId } from './operation-id.js';
import type { Reply } from './step.js';

/** A response as it is stored and sent: a replay is these bytes. */
export interface StoredResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Largest stored response; the table's CHECK says the same. */
const MAX_BYTES = 2 * 1024 * 1024;

/** The bytes of a reply. @throws Error when they are more than can be stored */
export function toResponse({ status, body, headers }: Reply, operationUuid: string): StoredResponse {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  if (bytes.length > MAX_BYTES) throw new Error(`a response of ${bytes.length} bytes is too large to store`);
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers, 'operation-id': publicOperationId(operationUuid) },
    body: bytes,
  };
}
