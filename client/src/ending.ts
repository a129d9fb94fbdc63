import { isReplay, operationIdOf, problemOf, type Answer } from './answer.js';
import type { Done, Problem, Refused, Unknown, UnknownReason } from './outcome.js';

/** What an answer that is a result says. */
export function done(answer: Answer): Done {
  const { status, headers, body } = answer;
  return { kind: 'done', status, body, headers, replayed: isReplay(answer), ...operationOf(answer) };
}

/** What an answer that is a refusal says. */
export function refused(answer: Answer, newKeyMakesSense: boolean): Refused {
  const { status, headers } = answer;
  const resendable = isUnauthorized(status);
  return {
    kind: 'refused',
    status,
    problem: problemOf(answer),
    headers,
    replayed: isReplay(answer),
    ...operationOf(answer),
    newKeyMakesSense,
    resendable,
    advice: resendable
      ? 'See to the authorization, then send the same intent: its key is unused.'
      : newKeyMakesSense
        ? 'Nothing happened, and nothing will under this key. If it is still wanted, prepare a new intent.'
        : 'Nothing happened. Do not send it again as it is; if a corrected one is wanted, prepare a new intent.',
  };
}

/** Whether a status says that who asked is not let in. */
export function isUnauthorized(status: number): boolean {
  return status === 401 || status === 403 || status === 407;
}

/** What is known where nobody can tell. */
export function unknown(reason: UnknownReason, known: Omit<Unknown, 'kind' | 'reason' | 'next' | 'advice'>): Unknown {
  const next = LOOK_UP.has(reason) ? 'look-up' : 'send-again';
  const advice =
    reason === 'unauthorized'
      ? 'It may have happened. See to the authorization, then send the same intent.'
      : next === 'send-again'
        ? sendAgain(known)
        : 'Ask the server what this request made before you do it another way.';
  return { kind: 'unknown', reason, next, ...known, advice };
}

const LOOK_UP: ReadonlySet<UnknownReason> = new Set(['redirected', 'expired', 'undecided']);

function sendAgain({
  mayHaveHappened,
  problem,
  retryAfterMs,
}: {
  mayHaveHappened: boolean;
  problem?: Problem;
  retryAfterMs?: number;
}): string {
  const when = retryAfterMs === undefined ? 'Later' : `In ${Math.ceil(retryAfterMs / 1_000)} s`;
  if (!mayHaveHappened) return `Nothing has happened yet. ${when} send the same intent.`;
  const what = problem?.status === 202 || problem?.status === 409 ? 'It is under way.' : 'It may have happened.';
  return `${what} ${when} send the same intent: its key makes that harmless. Do not do it another way before you know.`;
}

function operationOf(answer: Answer): { operationId?: string } {
  const operationId = operationIdOf(answer);
  return operationId === undefined ? {} : { operationId };
}
