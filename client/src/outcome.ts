/** What a refusal says of another try: `same-key`, send it again unchanged; `new-key`, this key has its end; `never`, not as it is. */
export type Verdict = 'same-key' | 'new-key' | 'never';

/** A problem as the server told it (RFC 9457); of a server that tells none, its status and title alone. */
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail?: string;
  instance?: string;
  /** The slug of the problem, with servers that have them. */
  code?: string;
  retry?: Verdict;
  requestId?: string;
  operationId?: string;
  errors?: { pointer: string; detail: string }[];
  [member: string]: unknown;
}

/** It happened, once. */
export interface Done<T = unknown> {
  kind: 'done';
  status: number;
  /** What the JSON of the answer says, its text where it is no JSON, null where it is empty. */
  body: T;
  /** By their names in lower case, without cookies. */
  headers: Record<string, string>;
  /** It had happened by an earlier attempt, whose answer this is. */
  replayed: boolean;
  /** With servers that name their operations. */
  operationId?: string;
}

/** It did not happen, and never will under this key. */
export interface Refused {
  kind: 'refused';
  status: number;
  problem: Problem;
  headers: Record<string, string>;
  replayed: boolean;
  operationId?: string;
  /** The same thing may succeed as a new intent, without any correction. */
  newKeyMakesSense: boolean;
  /**
   * Nothing but who asked was wrong (401, 403, 407): the intent stays, its key is unused, and it may be sent again with another
   * authorization.
   */
  resendable: boolean;
  /** What to do next, in a sentence. */
  advice: string;
}

/** Why nothing more is known. */
export type UnknownReason =
  | 'aborted'
  | 'deadline'
  | 'attempts'
  | 'budget'
  /** The circuit breaker is open. */
  | 'circuit-open'
  /** The answer sent the request somewhere else, and it was not followed. */
  | 'redirected'
  /** Its key has passed its time, at the server or here. */
  | 'expired'
  /** Who asked was not let in (401, 403, 407), after an attempt that may have had its effect. */
  | 'unauthorized'
  /** The server says that the key belongs to another request, has an end without a result, or could not look at it. */
  | 'undecided';

/** Nobody here can tell. Not a failure: never do it another way before you have looked. */
export interface Unknown {
  kind: 'unknown';
  reason: UnknownReason;
  /** False where surely nothing has happened yet: no attempt has left, or each was turned away before it was looked at. */
  mayHaveHappened: boolean;
  /** With servers that name their operations, and only where an answer has come. */
  operationId?: string;
  /** `send-again`: the same intent, under its key. `look-up`: ask the server what the first attempt made; sending would not tell. */
  next: 'send-again' | 'look-up';
  /** How long the server asked to be left alone, in milliseconds. */
  retryAfterMs?: number;
  /** The last answer, where one came. */
  problem?: Problem;
  /** The last error of the network, or of `authorization`. */
  cause?: unknown;
  /** What to do next, in a sentence. */
  advice: string;
}

/** What is known of an intent. */
export type Outcome<T = unknown> = Done<T> | Refused | Unknown;
