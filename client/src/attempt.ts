import { readAnswer, type Answer } from './answer.js';

/** One request, as it goes over the wire. */
export interface WireRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | null;
}

/** Why a client tries again, as `Retry-Reason` says it. */
export type RetryReason = 'timeout' | 'connection' | 'server-error' | 'in-progress' | 'rate-limited' | 'offline' | 'manual';

/** An attempt without an answer. */
export interface Silence {
  /** `authorization`: there was none to send it with. */
  reason: 'timeout' | 'connection' | 'offline' | 'aborted' | 'authorization';
  /** Whether the server may have got the request. */
  mayHaveLeft: boolean;
  cause: unknown;
}

export type AttemptResult = { answer: Answer } | { silence: Silence };

/** Errors of Node that come before there is a connection. */
const NO_CONNECTION = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** Sends a request once and reads its answer to the end, for at most `timeoutMs`. Doesn't throw. */
export async function attempt(
  fetch: typeof globalThis.fetch,
  request: WireRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { url, ...init } = request;
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  let isLate = false;
  const timer = setTimeout(() => ((isLate = true), controller.abort()), timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) return { silence: { reason: 'aborted', mayHaveLeft: false, cause: signal.reason } };
    // A redirect that is followed loses the body, or gives the authorization to somebody else.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: controller.signal });
    return { answer: await readAnswer(response) };
  } catch (cause) {
    const reason = signal.aborted ? 'aborted' : isLate ? 'timeout' : isOnline() ? 'connection' : 'offline';
    return { silence: { reason, mayHaveLeft: !neverLeft(cause), cause } };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** What the platform says; without a word from it, online. */
export function isOnline(): boolean {
  return (globalThis.navigator as Navigator | undefined)?.onLine !== false;
}

/** Only Node tells; a browser's error is the same whatever happened. */
function neverLeft(error: unknown): boolean {
  const code = ((error as Error | null)?.cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && NO_CONNECTION.has(code);
}
