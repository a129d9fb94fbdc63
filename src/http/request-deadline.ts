import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transaction } from '../idempotency/index.js';
import { Problem } from './problem.js';
import { invalid } from './validation.js';

/** The longest time that may be given in seconds. */
const LONGEST = 86_400;
/** The three forms of an HTTP date, the first of which is sent nowadays (RFC 9110, section 5.6.7). */
const HTTP_DATES = [
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Until when a client wants something, as the header `Request-Deadline` says. */
export interface Deadline {
  /** The time it names, or how long after its arrival, in milliseconds. */
  readonly until: Date | number;
  /** How long ago the request has arrived, in milliseconds. */
  readonly arrivedAgoMs: number;
}

/** The deadline of a request; null where it has none. @throws Problem `invalid-request` */
export const RequestDeadline = createParamDecorator((_name: 'request-deadline', context: ExecutionContext): Deadline | null => {
  const http = context.switchToHttp();
  const header = http.getRequest<FastifyRequest>().headers['request-deadline'];
  if (header === undefined) return null;
  return { until: untilOf(String(header)), arrivedAgoMs: http.getResponse<FastifyReply>().elapsedTime };
});

/** What a header says. @throws Problem `invalid-request` */
function untilOf(header: string): Date | number {
  if (/^\d{1,5}$/.test(header) && Number(header) >= 1 && Number(header) <= LONGEST) return Number(header) * 1000;
  const form = HTTP_DATES.findIndex((each) => each.test(header));
  const time = form === -1 ? Number.NaN : Date.parse(form === 2 ? `${header} GMT` : header);
  // A 30th of February, or a Monday that is a Tuesday, would be read as something else.
  if (Number.isNaN(time) || !new Date(time).toUTCString().startsWith(header.slice(0, 3)) || !hasDay(header, time)) {
    throw invalid([{ pointer: '/Request-Deadline', detail: `must be an HTTP date or 1 to ${LONGEST} seconds` }]);
  }
  return new Date(time);
}

function hasDay(header: string, time: number): boolean {
  return new RegExp(`\\b0?${new Date(time).getUTCDate()}\\b`).test(header.replace(/\d{2}:\d{2}:\d{2}/, ''));
}

/**
 * When the deadline of the transaction's request is, by the database's clock; null where it has none.
 * @throws Problem `deadline-passed` when the request had not arrived by then
 */
export async function deadlineIn(tx: Pick<Transaction, 'now'>, deadline: Deadline | null): Promise<Date | null> {
  if (!deadline) return null;
  const { until, arrivedAgoMs } = deadline;
  const arrival = (await tx.now()).getTime() - arrivedAgoMs;
  const time = typeof until === 'number' ? arrival + until : until.getTime();
  if (arrival > time) throw arrivedLate();
  return new Date(time);
}

/** Nobody wants it any more. */
export function arrivedLate(): Problem {
  return new Problem('deadline-passed', 'The request arrived after its deadline. Nothing was executed.');
}
