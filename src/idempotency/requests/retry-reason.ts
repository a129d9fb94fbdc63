type Headers = Record<string, string | string[] | undefined>;

/** Nine digits fit the column. */
const ATTEMPT = /^[1-9][0-9]{0,8}$/;

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

/** What a client says of a retry. It is recorded and changes no outcome. */
export interface SaidOfRetry {
  /** It says that it has sent this before; decides what is tried first. */
  isRetry: boolean;
  /** `Retry-Reason`; undefined where it says nothing that is known here. */
  reason: string | undefined;
  /** `Retry-Attempt`, counted from 1; undefined where it is none. */
  attempt: number | undefined;
}

/** What the headers of a request say of its being a retry. */
export function readRetry(headers: Headers): SaidOfRetry {
  const { 'retry-reason': reason, 'retry-attempt': attempt } = headers;
  return {
    isRetry: reason !== undefined || attempt !== undefined,
    reason: typeof reason === 'string' && RETRY_REASONS.includes(reason) ? reason : undefined,
    attempt: typeof attempt === 'string' && ATTEMPT.test(attempt) ? Number(attempt) : undefined,
  };
}
