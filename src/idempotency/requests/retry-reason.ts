type Headers = Record<string, string | string[] | undefined>;

/** What `Retry-Reason` may say. */
export const RETRY_REASONS: readonly string[] = [
  'timeout',
  'connection',
  'server-error',
  'in-progress',
  'rate-limited',
  'offline',
  'manual',
];

/** Why the client says that it tries again; undefined where it says nothing that is known here. */
export function retryReasonOf(headers: Headers): string | undefined {
  const reason = headers['retry-reason'];
  return typeof reason === 'string' && RETRY_REASONS.includes(reason) ? reason : undefined;
}

/** Whether the client says that it has sent this before. */
export function isSaidToBeRetry(headers: Headers): boolean {
  return headers['retry-attempt'] !== undefined || headers['retry-reason'] !== undefined;
}
