const MAX_WAIT_SECONDS = 30;

type Prefer = string | string[] | undefined;

/** Whole seconds of `Prefer: wait=N` (RFC 7240, section 4.3), at most 30; undefined where it isn't asked for. */
export function preferredWait(prefer: Prefer): number | undefined {
  if (prefer === undefined) return undefined;
  const match = /(?:^|[,;])\s*wait\s*=\s*"?(\d+)"?\s*(?:$|[,;])/i.exec(listOf(prefer));
  return match ? Math.min(Number(match[1]), MAX_WAIT_SECONDS) : undefined;
}

/** Whether the client says by `Prefer: handling=lenient` (RFC 7240, section 4.4) that it means a request that looks like a repetition. */
export function prefersLenient(prefer: Prefer): boolean {
  return prefer !== undefined && /(?:^|[,;])\s*handling\s*=\s*"?lenient"?\s*(?:$|[,;])/i.test(listOf(prefer));
}

function listOf(prefer: string | string[]): string {
  return Array.isArray(prefer) ? prefer.join(',') : prefer;
}
