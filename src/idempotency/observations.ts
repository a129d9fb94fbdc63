/** What became of one request with a key, for metrics and logs. Ids are uuids. */
export interface RequestOutcome {
  /** Method and route. */
  operation: string;
  /**
   * `waited`: got the answer that another request under the key had, after waiting for it. `pending`: no outcome yet, 202. `mismatch`:
   * the key was used for something else. `missing` and `invalid`: the key. `rolled-back`: an item of an atomic batch that failed.
   * `unavailable`: the database. `failed`: anything else that stored nothing, a body that is refused too.
   */
  outcome:
    | 'executed'
    | 'replayed'
    | 'waited'
    | 'pending'
    | 'in-progress'
    | 'mismatch'
    | 'expired'
    | 'sealed'
    | 'missing'
    | 'invalid'
    | 'possible-duplicate'
    | 'rolled-back'
    | 'rate-limited'
    | 'unavailable'
    | 'failed';
  /** Undefined, as the key is, where that is missing or invalid: nobody was asked then. */
  accountId: string | undefined;
  /** As it is compared. */
  key: string | undefined;
  /** Of the operation that the answer is about, where it is known. */
  operationId: string | undefined;
  /** Of the request that executed, or began to, where this one got its answer: what the option of that name gave then. */
  traceparent: string | null;
  /** It says that it is a retry. */
  isRetry: boolean;
  /** The client's `Retry-Reason`, when it is one of the known ones. */
  retryReason: string | undefined;
  /** The client's `Retry-Attempt`. */
  retryAttempt: number | undefined;
  /** From when it was let in to its answer, in milliseconds; undefined for an item of a batch. */
  ms: number | undefined;
  /** Of an answer that was there before: how long ago the key's first request came, in milliseconds. */
  ageMs: number | undefined;
  /** What the handler threw, where the outcome is `failed`. */
  error: unknown;
  /** The platform's request; undefined for a task, and for an item of a batch. */
  request: unknown;
}

/** An operation that something happened to. Ids are uuids. */
export interface NoticedOperation {
  accountId: string;
  operationId: string;
  /** The key that the client sent; null where the application started the operation by itself. */
  key: string | null;
  step: string;
  attempt: number;
}

/** Who takes an operation over. */
export type Taker = 'retry' | 'request' | 'recoverer' | 'decision';

/** What happened beside the answers to requests. */
export type Notice =
  /** `found`: its lease had run out, or it had been parked since its last step began. */
  | { kind: 'taken-over'; by: Taker; found: 'lease' | 'parked'; operation: NoticedOperation }
  /** What driving an operation that was taken over came to. `lost`: somebody else took it. */
  | { kind: 'recovered'; result: 'completed' | 'pending' | 'undone' | 'lost'; ms: number; operation: NoticedOperation }
  /** A step was settled in vain: somebody else had its operation by then. */
  | { kind: 'fenced'; operation: NoticedOperation }
  /** A request had to wait for the turn of its account, with or without success. */
  | { kind: 'queued'; ms: number }
  /** Records went into the archive. */
  | { kind: 'archived'; count: number }
  /** Archived or sealed keys were deleted after their time. */
  | { kind: 'forgotten'; count: number };
