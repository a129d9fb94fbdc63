import { announce } from './announce.js';
import { Refusal, problemOf, type Answer } from './api.js';

/** Enough for an outage of a minute or two. */
const MOST_ATTEMPTS = 40;

/**
 * Sends a request again under the same key for as long as its answer says that this is what to do: a 202, or a problem whose verdict is
 * `same-key`.
 * @throws Refusal where the final answer is one, or none has come in the end
 */
export async function finalOf(first: Answer, again: (attempt: number) => Promise<Answer>): Promise<Answer> {
  let answer = first;
  for (let attempt = 2; attempt <= MOST_ATTEMPTS && mayComeAgain(answer); attempt += 1) {
    const seconds = Number(answer.headers.get('retry-after') ?? 1);
    announce(`No final answer yet. The next try is in ${seconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    answer = await again(attempt);
  }
  if (answer.status === 0 || answer.status >= 400) throw new Refusal(problemOf(answer));
  return answer;
}

function mayComeAgain(answer: Answer): boolean {
  return answer.status === 0 || answer.status === 202 || (answer.status >= 400 && problemOf(answer).retry === 'same-key');
}
