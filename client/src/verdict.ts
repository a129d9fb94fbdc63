import { isReplay, operationIdOf, problemOf, type Answer } from './answer.js';
import type { Verdict } from './outcome.js';

/**
 * What an answer means for its key: `done`; one of the verdicts; or `look-up`, where neither the answer nor another attempt tells
 * what became of the request.
 */
export type Judgement = 'done' | Verdict | 'look-up';

const VERDICTS: readonly unknown[] = ['same-key', 'new-key', 'never'] satisfies Verdict[];

/** Statuses that say: not now. */
const NOT_NOW = new Set([408, 425, 429]);

/** Statuses that a server may give before it has looked at the key, so that they tell nothing of an earlier attempt. */
const BEFORE_THE_KEY = new Set([400, 401, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 421, 422, 426, 428, 431, 501]);

/**
 * Judges an answer: by the verdict in its problem where there is one, otherwise by its status, as a server that follows
 * draft-ietf-httpapi-idempotency-key-header-07 means it.
 *
 * @param inDoubt an earlier attempt under this key may have had its effect
 */
export function judge(answer: Answer, inDoubt: boolean): Judgement {
  const { status } = answer;
  if (status >= 200 && status < 300) return isUnfinished(answer) ? 'same-key' : 'done';
  // The answer to a conditional GET.
  if (status === 304) return 'done';
  // To follow it could send the request without its body, or with the authorization to somebody else.
  if (status < 400) return 'look-up';
  const { code, retry } = problemOf(answer);
  if (code === 'idempotency-key-expired') return 'look-up';
  const verdict = VERDICTS.includes(retry) ? (retry as Verdict) : byStatus(answer, inDoubt);
  return verdict !== 'same-key' && inDoubt && tellsNothing(answer) ? 'look-up' : verdict;
}

/** 202 is an end with many servers. It is none where the server says when to ask again, unless that answer is the stored one. */
function isUnfinished(answer: Answer): boolean {
  return answer.status === 202 && answer.headers['retry-after'] !== undefined && !isReplay(answer);
}

function byStatus(answer: Answer, inDoubt: boolean): Judgement {
  const { status, headers } = answer;
  // A stored failure is repeated for ever.
  if (status >= 500 && isReplay(answer)) return 'look-up';
  if (NOT_NOW.has(status) || (status >= 500 && status !== 501)) return 'same-key';
  if (status === 402) return 'new-key';
  if (status !== 409) return 'never';
  // The draft's "in progress", and a refusal of many domains: nothing can be in progress that was never sent before.
  const mayRun = headers['retry-after'] !== undefined || inDoubt;
  return mayRun && !isReplay(answer) ? 'same-key' : 'new-key';
}

/** Whether a refusal leaves open what became of earlier attempts. A server that names the operation has looked. */
function tellsNothing(answer: Answer): boolean {
  if (problemOf(answer).code === 'idempotency-key-reused') return true;
  return BEFORE_THE_KEY.has(answer.status) && !isReplay(answer) && operationIdOf(answer) === undefined;
}
