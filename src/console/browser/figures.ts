import { sumOf, type Samples } from './exposition.js';

/** Metrics of this service that the console shows, by the names under which a scrape has them. */
export const METRIC = {
  requests: 'idempotency_requests_total',
  records: 'idempotency_records',
  oldest: 'idempotency_oldest_unfinished_seconds',
  forReview: 'payments_for_review',
  poolWaitSum: 'database_pool_wait_seconds_sum',
  poolWaitCount: 'database_pool_wait_seconds_count',
  started: 'process_start_time_seconds',
} as const;

/** What became of requests, in the four groups that an operator tells apart. */
export const GROUPS = ['executed', 'replayed', 'told to wait', 'refused or failed'] as const;
type Group = (typeof GROUPS)[number];

const GROUP_OF: Readonly<Record<string, Group>> = {
  executed: 'executed',
  replayed: 'replayed',
  waited: 'replayed',
  pending: 'told to wait',
  'in-progress': 'told to wait',
  'rate-limited': 'told to wait',
};

/** What one look at the metrics comes to. Undefined: the server has no such metric, or there is nothing to compare with yet. */
export interface Point {
  /** Seconds since 1970. */
  at: number;
  /** Requests with a key a second since the look before, by group. */
  rates: Record<Group, number> | undefined;
  running: number | undefined;
  /** With an outcome that nobody can tell yet. */
  parked: number | undefined;
  /** In nobody's hands. */
  interrupted: number | undefined;
  /** Age of the oldest operation without an outcome, in seconds. */
  oldest: number | undefined;
  forReview: number | undefined;
  /** How long those waited for a connection that found none idle since the look before, in seconds, on average. */
  poolWait: number | undefined;
}

/** One combination of labels of the requests, since the process began. */
export interface RequestLine {
  operation: string;
  outcome: string;
  retryReason: string;
  count: number;
}

/** Five minutes, at one look every three seconds. */
const KEPT = 100;

/** The latest looks at the metrics of one process. */
export class History {
  readonly points: Point[] = [];
  private last: { at: number; samples: Samples } | undefined;

  /** @param at seconds since 1970 */
  add(at: number, samples: Samples): void {
    const { last } = this;
    // Counters of a process that began since count from nothing.
    const before = last && started(last.samples) === started(samples) ? last : undefined;
    this.points.push(pointOf(at, samples, before));
    if (this.points.length > KEPT) this.points.shift();
    this.last = { at, samples };
  }

  /** What the requests with a key came to since the process began, the most frequent first. */
  requestLines(): RequestLine[] {
    const lines = this.last?.samples.get(METRIC.requests) ?? [];
    return lines
      .map(({ labels, value }) => ({
        operation: labels['operation'] ?? '',
        outcome: labels['outcome'] ?? '',
        retryReason: labels['retry_reason'] ?? '',
        count: value,
      }))
      .toSorted((one, other) => other.count - one.count);
  }

  /** When the process began, in seconds since 1970; undefined where it doesn't say. */
  startedAt(): number | undefined {
    return this.last && started(this.last.samples);
  }
}

const started = (samples: Samples): number | undefined => sumOf(samples, METRIC.started);

function pointOf(at: number, samples: Samples, before: { at: number; samples: Samples } | undefined): Point {
  const state = (name: string): number | undefined => sumOf(samples, METRIC.records, (labels) => labels['state'] === name);
  return {
    at,
    rates: before && ratesOf(samples, before.samples, at - before.at),
    running: state('running'),
    parked: state('parked'),
    interrupted: state('interrupted'),
    oldest: sumOf(samples, METRIC.oldest),
    forReview: sumOf(samples, METRIC.forReview),
    poolWait: before && averageWait(samples, before.samples),
  };
}

function ratesOf(samples: Samples, before: Samples, seconds: number): Record<Group, number> {
  const rate = (group: Group): number => {
    const count = (of: Samples): number =>
      sumOf(of, METRIC.requests, ({ outcome = '' }) => (GROUP_OF[outcome] ?? 'refused or failed') === group) ?? 0;
    return seconds > 0 ? (count(samples) - count(before)) / seconds : 0;
  };
  return {
    executed: rate('executed'),
    replayed: rate('replayed'),
    'told to wait': rate('told to wait'),
    'refused or failed': rate('refused or failed'),
  };
}

function averageWait(samples: Samples, before: Samples): number | undefined {
  const grown = (name: string): number | undefined => {
    const ofRequests = ({ pool }: Record<string, string>): boolean => pool === 'requests';
    const now = sumOf(samples, name, ofRequests);
    return now === undefined ? undefined : now - (sumOf(before, name, ofRequests) ?? 0);
  };
  const [sum, count] = [grown(METRIC.poolWaitSum), grown(METRIC.poolWaitCount)];
  if (sum === undefined || count === undefined) return undefined;
  return count === 0 ? 0 : sum / count;
}
